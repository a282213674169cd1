"""Schemas published on a real Kafka, and learned from there."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import structlog
from aiokafka import AIOKafkaProducer
from fastavro.schema import fingerprint, to_parsing_canonical_form

import schemas
from sagaline.chassis import schema_topic
from sagaline.chassis.codec import Codec
from sagaline.chassis.errors import UnknownFingerprint
from sagaline.chassis.messages import Notice
from schemas.messages import ReserveStock, StockReserved

LOG = structlog.get_logger()


async def publish(codec: Codec, bootstrap: str, service: str = "inventory_service") -> int:
    return await schema_topic.publish(
        codec, service=service, bootstrap=bootstrap, replicas=1, timeout_ms=10_000
    )


async def put(bootstrap: str, key: bytes, text: bytes | None) -> None:
    """Anybody may write there."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(schema_topic.NAME, text, key=key)


async def test_what_a_service_writes_in_is_published_once(kafka_bootstrap: str) -> None:
    codec = Codec(schemas.CATALOG)
    await publish(codec, kafka_bootstrap)
    assert await publish(codec, kafka_bootstrap) == 0
    found = await schema_topic.read(kafka_bootstrap, timeout_ms=10_000, log=LOG)
    own = set(schema_topic.written_by(schemas.CATALOG, "inventory_service"))
    assert {StockReserved.fingerprint, Notice.fingerprint} <= own <= found.keys()
    assert ReserveStock.fingerprint not in own  # the orchestrator writes it


def newer_reserved() -> tuple[bytes, bytes, dict[str, Any]]:
    """StockReserved as a later release may write it, with a field more: key, bytes, schema."""
    schema = json.loads(json.dumps(schemas.CATALOG.reader_schema(StockReserved.avro_name)))
    schema["fields"].append({"name": "shelf", "type": "string", "default": "", "doc": "Which."})
    key = bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))

    class Newer(StockReserved):
        shelf: str

    Newer.fingerprint = key
    catalog = replace(
        schemas.CATALOG, messages={**schemas.CATALOG.messages, StockReserved.avro_name: Newer}
    )
    writer = Codec(catalog)
    writer.learn(key, schema)
    message = Newer(order_id=uuid4(), lines=(), total_minor=5, currency="EUR", shelf="B 7")
    return key, writer.encode(message), schema


async def test_a_newer_writers_record_is_read_once_its_schema_is_learned(
    kafka_bootstrap: str,
) -> None:
    key, data, schema = newer_reserved()
    reader = Codec(schemas.CATALOG)
    assert reader.unknown_in(data) == key
    with pytest.raises(UnknownFingerprint):
        reader.decode(data)

    await publish(reader, kafka_bootstrap)
    await put(kafka_bootstrap, key.hex().encode(), json.dumps(schema).encode())
    for each, found in (
        await schema_topic.read(kafka_bootstrap, timeout_ms=10_000, log=LOG)
    ).items():
        reader.learn(each, found)

    assert reader.unknown_in(data) is None
    message = reader.decode(data)
    assert isinstance(message, StockReserved)
    assert message.total_minor == 5


async def test_what_can_not_be_used_is_passed_over(kafka_bootstrap: str) -> None:
    await publish(Codec(schemas.CATALOG), kafka_bootstrap)
    written_at = datetime.now(UTC).isoformat().encode()
    await put(kafka_bootstrap, b"no fingerprint", written_at)
    await put(kafka_bootstrap, b"0011223344556677", b'{"type": "record"}')
    await put(kafka_bootstrap, b"8899aabbccddeeff", None)
    found = await schema_topic.read(kafka_bootstrap, timeout_ms=10_000, log=LOG)
    assert StockReserved.fingerprint in found
    assert bytes.fromhex("0011223344556677") not in found
    assert bytes.fromhex("8899aabbccddeeff") not in found


def test_a_type_that_this_release_does_not_have_stays_unknown() -> None:
    codec = Codec(schemas.CATALOG)
    data = b"\xc3\x01" + b"newtype!" + b"body"
    codec.learn(b"newtype!", {"type": "record", "name": "New", "namespace": "x", "fields": []})
    assert codec.unknown_in(data) == b"newtype!"


@pytest.mark.parametrize("data", [None, b"", b"\xc3\x01short", b"no encoding at all"])
def test_what_no_schema_would_help_is_not_waited_for(data: bytes | None) -> None:
    assert Codec(schemas.CATALOG).unknown_in(data) is None
