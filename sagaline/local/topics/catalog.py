"""The catalog of the platform at hand, by the package that sagaline.toml names."""

import difflib
import importlib
import sys
from collections.abc import Collection
from typing import cast

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.errors import PlatformError
from sagaline.local.errors import BadPlatformFile
from sagaline.local.platform_config import FILENAME, PlatformConfig


class UnknownTopic(PlatformError):
    """There is no topic {topic}. {suggestion}"""


class UnknownType(PlatformError):
    """No message {type} stands on {topic}. {suggestion}"""


def catalog(config: PlatformConfig) -> Catalog:
    """Give the CATALOG of the package of schemas. Raises BadPlatformFile."""
    root = str(config.root)
    if root not in sys.path:  # `sagactl` may have been called from anywhere
        sys.path.insert(0, root)
    try:
        return cast(Catalog, importlib.import_module(config.schemas).CATALOG)
    except (ImportError, AttributeError) as error:
        reason = f"{config.schemas} is no package with a CATALOG: {error}"
        raise BadPlatformFile(path=config.root / FILENAME, reason=reason) from error


def require(topic: str, known: Collection[str]) -> None:
    """`topic` is one of these. Raises UnknownTopic, which names what was meant perhaps."""
    if topic not in known:
        raise UnknownTopic(topic=topic, suggestion=_suggestion(topic, known, "topic list"))


def type_named(text: str, *, topic: str, types: Collection[str]) -> str:
    """Give the full name of a message on `topic`, by that or by its last part.

    Raises UnknownType.
    """
    named = [name for name in types if text in (name, name.rpartition(".")[2])]
    if named:
        return named[0]
    short = {name.rpartition(".")[2] for name in types}
    suggestion = _suggestion(text, {*types, *short}, f"topic describe {topic}")
    raise UnknownType(type=text, topic=topic, suggestion=suggestion)


def _suggestion(text: str, known: Collection[str], command: str) -> str:
    alike = difflib.get_close_matches(text, known, n=3)
    listed = f"'./sagactl {command}' names them all."
    return f"Is it {' or '.join(alike)}? {listed}" if alike else listed
