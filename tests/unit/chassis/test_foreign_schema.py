"""Schemas that others have published are used only if they can't hurt whoever reads with them."""

import json
from typing import Any

import pytest
from fastavro.schema import fingerprint, to_parsing_canonical_form

import schemas
from sagaline.chassis.foreign_schema import SchemaRefused, accepted

Avro = Any


def record(*types: Avro, name: str = "Thing") -> dict[str, Avro]:
    fields = [{"name": f"field_{n}", "type": avro} for n, avro in enumerate(types)]
    return {"type": "record", "name": name, "namespace": "test", "fields": fields}


def published(schema: Avro) -> tuple[bytes, bytes]:
    """Its text and its key, as they stand on the topic."""
    key = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
    return json.dumps(schema).encode(), bytes.fromhex(key)


def test_every_schema_of_the_catalog_is_accepted() -> None:
    for message in schemas.CATALOG.messages.values():
        schema = schemas.CATALOG.writer_schema(message.fingerprint)
        assert accepted(*published(schema)) == schema


def test_logical_types_unions_and_names_used_twice_are_accepted() -> None:
    money = record("long", {"type": "string", "logicalType": "uuid"}, name="Money")
    schema = record(money, "test.Money", ["null", "test.Money"], {"type": "map", "values": "long"})
    assert accepted(*published(schema)) == schema


def doubled(times: int) -> dict[str, Avro]:
    """A record of two records of two records ..: nothing to read, and no end to it."""
    inner = record(name="Level0")
    for n in range(1, times):
        inner = record(inner, f"test.Level{n - 1}", name=f"Level{n}")
    return inner


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (record({"type": "array", "items": "null"}), "no bytes"),
        (record({"type": "array", "items": record(name="Empty")}), "no bytes"),
        (record({"type": "map", "values": {"type": "fixed", "name": "F", "size": 0}}), "no bytes"),
        (record(["null", "test.Thing"]), "inside of itself"),
        (doubled(18), "more than"),
        ("string", "no record"),
    ],
    ids=["array of null", "array of empty records", "fixed of 0", "recursion", "doubling", "text"],
)
def test_what_would_exhaust_a_reader_is_refused(schema: Avro, reason: str) -> None:
    with pytest.raises(SchemaRefused, match=reason):
        accepted(*published(schema))


def test_a_deep_schema_is_refused_before_anything_walks_it() -> None:
    text = b'{"type": ' * 5_000 + b'"null"' + b"}" * 5_000
    with pytest.raises(SchemaRefused, match=r"deeper|no JSON"):
        accepted(text, b"12345678")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'{"type": "record"}', b"[]", b"1", b"null"])
def test_what_is_no_schema_is_refused(text: bytes) -> None:
    with pytest.raises(SchemaRefused):
        accepted(text, b"12345678")


def test_a_schema_under_another_ones_fingerprint_is_refused() -> None:
    text, _ = published(record("long"))
    _, key = published(record("int"))
    with pytest.raises(SchemaRefused, match="fingerprint"):
        accepted(text, key)


def test_a_text_that_is_too_long_is_refused() -> None:
    text, key = published(record("long"))
    with pytest.raises(SchemaRefused, match="bytes"):
        accepted(text + b" " * 65_536, key)
