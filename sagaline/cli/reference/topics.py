"""The platform's AsyncAPI document, as a file."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

import sagaline
from sagaline.avro.folder import Folder
from sagaline.avro.package import Package
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.topics.asyncapi import document
from sagaline.local.topics.catalog import catalog

HEAD: Final = "# Written by `python -m sagaline.cli.reference` from topics.yaml and the schemas.\n"


def page(config: PlatformConfig) -> str:
    """Give the document as YAML."""
    platform = files("sagaline.chassis") / "avro"
    folders = [
        Package(Path(str(files(config.schemas)))).folder,
        Folder.at(Path(str(platform)), Path(str(platform))),
    ]

    def example(name: str) -> dict[str, Any]:
        folder = next(folder for folder in folders if name in folder.schemas())
        return folder.example(name)

    found = document(
        catalog(config),
        title=f"Topics of {config.schemas}",
        version=sagaline.__version__,
        kafka=f"127.0.0.1:{config.ports.kafka}",
        example=example,
    )
    return HEAD + yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120)
