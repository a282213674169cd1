"""A whole number within bounds, as a setting."""

from typing import Any

from pydantic import Field


def bounded(variable: str, default: int | None, *, least: int, most: int, text: str) -> Any:  # noqa: ANN401  # as Field
    """A field that the environment's `variable` sets: `least` to `most`, meaning `text`."""
    return Field(default, validation_alias=variable, ge=least, le=most, description=text)
