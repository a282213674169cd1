"""NUL characters in requests: PostgreSQL's text can't hold one, so none gets past the door."""

import json
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

from sagaline.chassis.problems import Fault, field_of

Place: TypeAlias = tuple[str | int, ...]

MESSAGE: Final = "NUL characters are not allowed"


def faults(path: str, query: bytes, body: bytes) -> list[Fault]:
    """Where the request has a NUL. It costs next to nothing where there is none."""
    places: list[Place] = [("path",)] if "\0" in path else []
    if b"%00" in query:
        found = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        places += [(_shown(name),) for name, text in found if "\0" in name + text]
    if b"\\u0000" in body or b"\0" in body:  # the second: JSON in UTF-16 or UTF-32
        places += _in_document(body)
    return [Fault(field=field_of(place), message=MESSAGE) for place in places]


def _in_document(body: bytes) -> Iterator[Place]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return  # whoever reads it as what it is will say so
    yield from _within(document, ("body",))


def _within(value: object, place: Place) -> Iterator[Place]:
    """Places of the texts and of the names that hold a NUL."""
    if isinstance(value, str) and "\0" in value:
        yield place
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if "\0" in name:
                yield (*place, _shown(name))
            else:
                yield from _within(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _within(inner, (*place, index))


def _shown(name: str) -> str:
    return name.replace("\0", "\\0")
