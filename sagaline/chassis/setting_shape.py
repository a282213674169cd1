"""What a setting's value may be, in words: its unit, its bounds or choices, and an example."""

from collections.abc import Mapping
from typing import Final, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

UNITS: Final[Mapping[str, str]] = {
    "ms": "ms",
    "s": "s",
    "bytes": "bytes",
    "rows": "rows",
    "minor": "minor units",
}


def shape_of(name: str, field: FieldInfo) -> str:
    """Words for the unit, which the name ends with, and for what a value may be; often none."""
    units = [UNITS[word] for word in name.split("_") if word in UNITS]
    kinds = [field.annotation, *get_args(field.annotation)]
    choices = next((get_args(each) for each in kinds if get_origin(each) is Literal), ())
    # Those of `PositiveInt | None` stand in the type.
    limits = [*field.metadata, *(each for kind in kinds for each in _metadata(kind))]
    least = [each.ge for each in limits if isinstance(each, Ge)]
    least += [each.gt + 1 for each in limits if isinstance(each, Gt) and isinstance(each.gt, int)]
    most = [each.le for each in limits if isinstance(each, Le)]
    words = [f"`{choice}`" for choice in choices]
    if least:
        words.append(f"{least[0]:_} to {most[0]:_}" if most else f"{least[0]:_} or more")
    return ", ".join([*units, *words])


def example_of(field: FieldInfo) -> str | None:
    """A value that it may have: an example of its own, or its default."""
    if field.examples:
        return str(field.examples[0])
    if is_secret(field) or field.is_required() or field.default in (None, ""):
        return None
    return str(field.default)


def is_secret(field: FieldInfo) -> bool:
    """Whether its value may be shown to nobody."""
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _metadata(kind: object) -> tuple[object, ...]:
    return getattr(kind, "__metadata__", ())
