"""The platform's AsyncAPI document, as a file."""

from typing import Final

import yaml

import sagaline
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.topics.asyncapi import document
from sagaline.local.topics.catalog import catalog

HEAD: Final = "# Written by `python -m sagaline.cli.reference` from topics.yaml and the schemas.\n"


def page(config: PlatformConfig) -> str:
    """Give the document as YAML."""
    found = document(
        catalog(config), title=f"Topics of {config.schemas}", version=sagaline.__version__
    )
    return HEAD + yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120)
