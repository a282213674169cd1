"""A schema that another release, or another program, has published: checked before it is used.

A schema that nobody here has reviewed decides how bytes become objects. One that is deep, that
contains itself, or whose items take no bytes would exhaust the stack, the memory or the processor.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, cast

from fastavro import parse_schema
from fastavro.schema import (
    SchemaParseException,
    UnknownType,
    fingerprint,
    to_parsing_canonical_form,
)

from sagaline.chassis.errors import PlatformError

TEXT_BYTES_MAX: Final = 65_536
DEPTH_MAX: Final = 64  # of the JSON document
TYPES_MAX: Final = 5_000  # with each name written out wherever it is used

Avro: TypeAlias = Any  # a schema as JSON has it: a name, a list of branches, or a dict


class SchemaRefused(PlatformError):
    """The published schema {fingerprint} is not used: {reason}."""


def accepted(text: bytes, key: bytes) -> Mapping[str, object]:
    """The schema in `text`, whose 8-byte fingerprint is `key`. Raises SchemaRefused."""

    def refused(reason: str) -> SchemaRefused:
        return SchemaRefused(fingerprint=key.hex(), reason=reason)

    if len(text) > TEXT_BYTES_MAX:
        raise refused(f"{len(text)} bytes, more than {TEXT_BYTES_MAX}")
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refused(f"it is no JSON: {error}") from error
    if _depth(schema) > DEPTH_MAX:
        raise refused(f"it is nested deeper than {DEPTH_MAX}")
    try:
        names: dict[str, dict[str, Any]] = {}
        parsed = cast(Avro, parse_schema(schema, names))
        # The names in a parsed schema are whole, and each is defined at its first use.
        Weighing(names).weigh(parsed)
        is_its_own = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO") == key.hex()
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError) as error:
        raise refused(f"{type(error).__name__}: {error}") from error
    if not is_its_own:
        raise refused("its fingerprint is another one")
    if not isinstance(schema, dict) or parsed.get("type") != "record":
        raise refused("it is no record")
    return schema


class Weighing:
    """What the types of one schema weigh: how many they are written out, and their least bytes."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._known: dict[str, tuple[int, int]] = {}

    def weigh(self, avro: Avro) -> tuple[int, int]:
        """Types and least bytes. ValueError for what would exhaust a reader."""
        types, bytes_min = self._weighed(avro)
        if types > TYPES_MAX:
            raise ValueError(f"more than {TYPES_MAX} types, written out")
        return types, bytes_min

    def _weighed(self, avro: Avro) -> tuple[int, int]:
        match avro:
            case str():
                return self._named(avro)
            case list():
                return 1 + sum(self.weigh(branch)[0] for branch in avro), 1
            case {"type": "array", "items": items} | {"type": "map", "values": items}:
                types, bytes_min = self.weigh(items)
                if bytes_min == 0:
                    raise ValueError("items of no bytes: a few bytes would become gigabytes")
                return 1 + types, 1
            case {"name": str() as name}:
                return self._known.setdefault(name, self._defined(avro))
            case {"type": inner}:
                return self.weigh(inner)
        raise ValueError(f"{avro!r} is no type")

    def _named(self, name: str) -> tuple[int, int]:
        if name in self._names and name not in self._known:
            raise ValueError(f"{name} is inside of itself")
        return self._known.get(name, (1, 0 if name == "null" else 1))

    def _defined(self, avro: Avro) -> tuple[int, int]:
        match avro:
            case {"type": "record", "fields": fields}:
                weights = [self.weigh(field["type"]) for field in fields]
                return 1 + sum(n for n, _ in weights), sum(least for _, least in weights)
            case {"type": "fixed", "size": size}:
                return 1, int(size)
        return 1, 1  # an enum


def _depth(document: object) -> int:
    """How deep the lists and dicts of a JSON document go; no stack is used for it."""
    depth, level = 0, [document]
    while level:
        depth += 1
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        level = inner
    return depth
