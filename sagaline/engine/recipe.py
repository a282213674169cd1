"""Recipes: how a step's command is made, with its data flow read from the builder's annotations.

Messages are seen structurally: a class with `avro_name`, and `replies` (commands) or `outcome`
(replies). This module knows no particular message.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, get_type_hints

Builder: TypeAlias = Callable[..., object]


class DefinitionError(Exception):
    """A saga's definition can't work; the text names the step and says what to change."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a saga turned back: the first step that was refused, None when someone aborted it.

    Builders of undos and of `when_compensated` steps may ask for it by annotation.
    """

    step: str | None
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """`builder` makes a `makes` command out of one message of each class in `needs`, in order."""

    builder: Builder
    needs: tuple[type, ...]
    makes: type

    @property
    def replies(self) -> tuple[str, ...]:
        """Full names of the replies that the command declares."""
        return tuple(getattr(self.makes, "replies", ()))


def recipe(builder: Builder) -> Recipe:
    """Read a builder's annotations; DefinitionError where one is missing or is no class."""
    name = getattr(builder, "__name__", repr(builder))
    try:
        hints = get_type_hints(builder)
    except NameError as error:
        raise DefinitionError(f"{name}: an annotation can't be resolved: {error}") from error
    parameters = inspect.signature(builder).parameters
    for wanted in (*parameters, "return"):
        if wanted not in hints:
            raise DefinitionError(f"{name}: {wanted!r} has no annotation; it says what flows here")
        if not isinstance(hints[wanted], type) or hints[wanted] is type(None):
            raise DefinitionError(f"{name}: {wanted!r} must be annotated with one message class")
    return Recipe(builder, tuple(hints[p] for p in parameters), hints["return"])


def full_name(message: type) -> str:
    """The message class's Avro full name; its Python name where it has none."""
    return str(getattr(message, "avro_name", message.__qualname__))
