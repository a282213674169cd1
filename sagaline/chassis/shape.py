"""A shape: how values of an Avro type stand in bytes, made from a schema once.

fastavro asks for each value anew what its type is, which is most of its time where messages are
small; a shape has asked. It has the types that messages are made of. A schema with another has no
shape, and is left to fastavro. See docs/architecture.md, "Schemas".
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from sagaline.chassis.quick_uuid import QuickUUID

Taken: TypeAlias = tuple[Any, int]  # a value, and where the next one begins

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SHORT: Final = [bytes([byte]) for byte in range(0x80)]  # longs of one byte, as nearly all are
BITS_MAX: Final = 70  # of a long's ten bytes, with those that it can't use


class Shape(NamedTuple):
    """Writes a value, and reads one that stands at a place.

    A record is written from an object with its fields, and read as a dict. Reading raises
    IndexError, EOFError, ValueError or OverflowError at bytes that don't fit.
    """

    put: Callable[[Any], bytes]
    take: Callable[[bytes, int], Taken]


class NoShape(Exception):
    """This type is none of those that messages are made of."""


def shape_of(schema: object) -> Shape | None:
    """The shape of a schema; None where it has one of another type."""
    try:
        return _shape(schema)
    except NoShape:
        return None


def _shape(schema: object) -> Shape:
    match schema:
        case {"type": "string", "logicalType": "uuid"}:
            return Shape(_put_uuid, _take_uuid)
        case {"type": "long", "logicalType": "timestamp-micros"}:
            return Shape(_put_time, _take_time)
        case {"logicalType": _}:
            raise NoShape
        case "string" | {"type": "string"}:
            return Shape(_put_string, _take_string)
        case "int" | "long" | {"type": "int" | "long"}:
            return Shape(_put_long, _take_long)  # what an int can hold, the model says
        case {"type": "record", "fields": [_, *_] as fields}:
            return _record([(field["name"], _shape(field["type"])) for field in fields])
        case {"type": "array", "items": items}:
            return _array(_shape(items))
        case ["null", other]:
            return _nullable(_shape(other))
        case _:
            raise NoShape


def _record(fields: Sequence[tuple[str, Shape]]) -> Shape:
    puts = [(name, shape.put) for name, shape in fields]
    takes = [(name, shape.take) for name, shape in fields]

    def put(value: object) -> bytes:
        return b"".join([put(getattr(value, name)) for name, put in puts])

    def take(data: bytes, at: int) -> Taken:
        found: dict[str, object] = {}
        for name, take in takes:
            found[name], at = take(data, at)
        return found, at

    return Shape(put, take)


def _array(items: Shape) -> Shape:
    def put(values: Sequence[object]) -> bytes:
        found = b"".join(map(items.put, values))
        return b"%b%b\0" % (_put_long(len(values)), found) if values else b"\0"

    def take(data: bytes, at: int) -> Taken:
        found: list[object] = []
        count, at = _take_long(data, at)
        while count:
            if count < 0:  # then the block's bytes are counted, too, for those who pass it over
                _, at = _take_long(data, at)
            for _ in range(abs(count)):  # each takes a byte at least: it ends with the data
                item, at = items.take(data, at)
                found.append(item)
            count, at = _take_long(data, at)
        return found, at

    return Shape(put, take)


def _nullable(other: Shape) -> Shape:
    def put(value: object) -> bytes:
        return b"\0" if value is None else b"\2" + other.put(value)

    def take(data: bytes, at: int) -> Taken:
        branch = data[at]
        if branch == 0:
            return None, at + 1
        if branch == 2:
            return other.take(data, at + 1)
        raise ValueError(f"no branch of a union: {branch}")

    return Shape(put, take)


def _put_long(value: int) -> bytes:
    rest = value << 1 ^ value >> 63  # zigzag
    if rest < 0x80:
        return SHORT[rest]
    found = bytearray()
    while rest >= 0x80:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    found.append(rest)
    return bytes(found)


def _take_long(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < 0x80:
        return byte >> 1 ^ -(byte & 1), at + 1
    found, bits = byte & 0x7F, 7
    while byte & 0x80:
        at += 1
        byte = data[at]
        found |= (byte & 0x7F) << bits
        bits += 7
        if bits > BITS_MAX:
            raise ValueError("a number of more than ten bytes")
    return found >> 1 ^ -(found & 1), at + 1


def _put_string(value: str) -> bytes:
    data = value.encode()
    size = len(data)
    return (SHORT[size << 1] if size < 0x40 else _put_long(size)) + data


def _take_string(data: bytes, at: int) -> tuple[str, int]:
    size = data[at]
    if size < 0x80:  # without a call: the most frequent of all that is read
        size, at = size >> 1 ^ -(size & 1), at + 1
    else:
        size, at = _take_long(data, at)
    end = at + size
    if not at <= end <= len(data):
        raise EOFError(f"a string of {size} bytes, where {len(data) - at} are left")
    return data[at:end].decode(), end


def _put_uuid(value: UUID) -> bytes:
    return _put_string(str(value))


def _take_uuid(data: bytes, at: int) -> tuple[UUID, int]:
    text, at = _take_string(data, at)
    return QuickUUID(text), at


def _put_time(value: datetime) -> bytes:
    return _put_long((value - EPOCH) // MICROSECOND)


def _take_time(data: bytes, at: int) -> tuple[datetime, int]:
    micros, at = _take_long(data, at)
    return EPOCH + timedelta(microseconds=micros), at
