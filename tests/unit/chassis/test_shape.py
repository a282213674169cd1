"""A shape writes what fastavro writes, and reads what fastavro reads."""

from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

import schemas
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.messages import MESSAGES
from sagaline.chassis.shape import shape_of

LONG = st.integers(-(2**63), 2**63 - 1)
TIMES = st.datetimes(
    min_value=datetime(1, 1, 1),  # noqa: DTZ001  # the zone comes from beside
    timezones=st.just(UTC),
)
LINE = {
    "type": "record",
    "name": "Line",
    "fields": [{"name": "sku", "type": "string"}, {"name": "quantity", "type": "int"}],
}
SCHEMA = {
    "type": "record",
    "name": "All",
    "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "text", "type": {"type": "string"}},
        {"name": "number", "type": "long"},
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "detail", "type": ["null", "string"]},
        {"name": "lines", "type": {"type": "array", "items": LINE}},
    ],
}
PARSED = parse_schema(SCHEMA)
LINES = st.fixed_dictionaries({"sku": st.text(), "quantity": st.integers(-(2**31), 2**31 - 1)})
RECORDS = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "text": st.text(),
        "number": LONG,
        "time": TIMES,
        "detail": st.none() | st.text(),
        "lines": st.lists(LINES, max_size=3),
    }
)


@given(RECORDS)
def test_it_writes_and_reads_as_fastavro_does(fields: dict[str, Any]) -> None:
    shape = shape_of(SCHEMA)
    assert shape is not None
    lines = [SimpleNamespace(**line) for line in fields["lines"]]
    written = shape.put(SimpleNamespace(**{**fields, "lines": lines}))
    out = BytesIO()
    schemaless_writer(out, PARSED, fields)
    assert written == out.getvalue()
    assert shape.take(written, 0) == (fields, len(written))
    assert schemaless_reader(BytesIO(written), PARSED, None) == fields


@given(LONG)
def test_a_place_is_where_reading_begins(number: int) -> None:
    shape = shape_of("long")
    assert shape is not None
    data = shape.put(number)
    assert shape.take(b"before" + data + b"behind", 6) == (number, 6 + len(data))


@pytest.mark.parametrize("data", [b"\x80" * 100, b"\xff" * 100_000])
def test_a_number_that_does_not_end_ends(data: bytes) -> None:
    shape = shape_of("long")
    assert shape is not None
    with pytest.raises(ValueError, match="more than ten bytes"):
        shape.take(data, 0)


def test_a_branch_that_a_union_does_not_have() -> None:
    shape = shape_of(["null", "string"])
    assert shape is not None
    with pytest.raises(ValueError, match="no branch of a union: 4"):
        shape.take(b"\x04\x00", 0)


@pytest.mark.parametrize(
    "schema",
    [
        "double",
        "elsewhere.Line",
        ["string", "null"],
        {"type": "int", "logicalType": "date"},
        {"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}},
    ],
)
def test_other_types_have_none(schema: object) -> None:
    # Items that take no bytes least of all: a few bytes may claim any number of them.
    assert shape_of(schema) is None


def test_each_message_has_one() -> None:
    codec = Codec(schemas.CATALOG)
    messages: list[type[Message]] = [*schemas.CATALOG.messages.values(), *MESSAGES]
    for message in messages:
        assert shape_of(codec._schema(message.fingerprint)) is not None, message


def test_an_id_is_equal_to_what_fastavro_reads() -> None:
    shape = shape_of({"type": "string", "logicalType": "uuid"})
    assert shape is not None
    one = UUID("01a23b66-ea4b-7a51-8d3e-52c7f0a9b614")
    assert shape.take(shape.put(one), 0) == (one, 37)
