"""Values as JSON-able dicts and back, for a closed set of classes.

Defaults are left out, so that rows and histories stay short. Fields marked `opaque` are left to
the caller, who gives them back when the dict is read: mostly messages, kept as bytes elsewhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeAlias, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from sagaline.engine.recipe import Refusal

Plain: TypeAlias = bool | int | str | list["Plain"] | dict[str, "Plain"] | None
Reader: TypeAlias = Callable[[Any], object]
Writer: TypeAlias = Callable[[Any], Plain]


class Codec:
    """Writes and reads instances of `classes`; `type` names the class in what is written."""

    def __init__(self, *classes: type) -> None:
        self._classes = MappingProxyType({cls.__name__: cls for cls in classes})
        self._writers = MappingProxyType({cls: _writers(cls) for cls in classes})
        self._opaque = MappingProxyType(
            {cls: {f.name for f in _fields(cls, opaque=True)} for cls in classes}
        )
        self._readers = MappingProxyType({cls: _readers(cls) for cls in classes})

    def write(self, value: object) -> dict[str, Plain]:
        """`value` as a dict, without its opaque fields and what has its default."""
        cls = type(value)
        written: dict[str, Plain] = {"type": cls.__name__}
        for name, default, plain in self._writers[cls]:
            held = getattr(value, name)
            if held is not default and held != default:
                written[name] = plain(held)
        return written

    def read(self, written: Mapping[str, Plain], **opaque: object) -> object:
        """What was written; of `opaque` it takes the fields that it has.

        KeyError or TypeError for what `write` can't have written.
        """
        cls = self._classes[cast(str, written["type"])]
        readers = self._readers[cls]
        values = {n: readers[n](held) for n, held in written.items() if n != "type"}
        given = {name: held for name, held in opaque.items() if name in self._opaque[cls]}
        return cls(**values, **given)


def _fields(cls: type, *, opaque: bool) -> list[Field[object]]:
    # The cast says what the callers promise: these are dataclasses.
    found: tuple[Field[object], ...] = fields(cast(Any, cls))
    return [f for f in found if bool(f.metadata.get("opaque")) == opaque]


def _writers(cls: type) -> tuple[tuple[str, object, Writer], ...]:
    """Each field with its default, and what makes a value plain that isn't its default."""
    hints = get_type_hints(cls)
    return tuple((f.name, f.default, _writer(hints[f.name])) for f in _fields(cls, opaque=False))


def _writer(annotation: object) -> Writer:
    if isinstance(annotation, UnionType):  # X | None
        inner = next(_writer(a) for a in get_args(annotation) if a is not NoneType)
        return lambda held: None if held is None else inner(held)
    if annotation in (bool, int, str):
        return lambda held: cast(Plain, held)
    if annotation is datetime:
        return datetime.isoformat
    if annotation is UUID:
        return str
    if annotation is Refusal:
        return lambda held: [held.step, held.code, held.detail]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return str.__str__
    if get_origin(annotation) is tuple:
        inner = _writer(get_args(annotation)[0])
        return lambda held: [inner(item) for item in held]
    raise TypeError(f"{annotation} has no plain form")


def _readers(cls: type) -> Mapping[str, Reader]:
    hints = get_type_hints(cls)
    return {f.name: _reader(hints[f.name]) for f in _fields(cls, opaque=False)}


def _reader(annotation: object) -> Reader:
    if isinstance(annotation, UnionType):  # X | None
        inner = next(_reader(a) for a in get_args(annotation) if a is not NoneType)
        return lambda held: None if held is None else inner(held)
    if get_origin(annotation) is tuple:
        return tuple
    if annotation is datetime:
        return datetime.fromisoformat
    if annotation is Refusal:
        return lambda held: Refusal(*held)
    if isinstance(annotation, type) and issubclass(annotation, Enum | UUID):
        return annotation
    return lambda held: held
