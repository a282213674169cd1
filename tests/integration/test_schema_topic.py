"""Schemas published on a real Kafka, and learned from there."""

import asyncio
import gc
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import structlog
from aiokafka import AIOKafkaProducer

import schemas
from sagaline.chassis import schema_topic
from sagaline.chassis.codec import Codec
from sagaline.chassis.errors import UnknownFingerprint
from sagaline.chassis.messages import Notice
from schemas.messages import ReserveStock, StockReserved
from tests.integration import newer_writer
from tests.integration.newer_writer import deploy, newer

LOG = structlog.get_logger()


async def publish(codec: Codec, bootstrap: str, service: str = "inventory_service") -> int:
    return await schema_topic.publish(
        codec, service=service, bootstrap=bootstrap, replicas=1, timeout_ms=10_000
    )


async def read(bootstrap: str, wanted: Collection[bytes]) -> dict[bytes, Mapping[str, object]]:
    return await schema_topic.read(wanted, bootstrap=bootstrap, timeout_ms=10_000, log=LOG)


async def test_what_a_service_writes_in_is_published_once(kafka_bootstrap: str) -> None:
    codec = Codec(schemas.CATALOG)
    await publish(codec, kafka_bootstrap)
    assert await publish(codec, kafka_bootstrap) == 0
    own = set(schema_topic.written_by(schemas.CATALOG, "inventory_service"))
    assert (
        (await read(kafka_bootstrap, own)).keys()
        == own
        >= {
            StockReserved.fingerprint,
            Notice.fingerprint,
        }
    )
    assert ReserveStock.fingerprint not in own  # the orchestrator writes it


def producers() -> list[str]:
    """Names of the producers that are not forgotten yet."""
    found = [each for each in gc.get_objects() if isinstance(each, AIOKafkaProducer)]
    return [each.client._client_id for each in found]  # there is no other way


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # this is what the test counts itself
async def test_a_broker_that_is_silent_leaves_no_producer_open() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    bootstrap = "{}:{}".format(*server.sockets[0].getsockname())
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    try:
        with pytest.raises(TimeoutError):
            await schema_topic.write(
                {b"12345678": b"{}"}, bootstrap=bootstrap, client_id="silence", within_ms=200
            )
        async with asyncio.timeout(20):
            while "silence" in producers():
                await asyncio.sleep(0.05)  # its connections' tasks come to their ends
                gc.collect()
    finally:
        server.close()
        await server.wait_closed()
    assert complaints == []


async def test_a_newer_writers_record_is_read_once_its_schema_is_learned(
    kafka_bootstrap: str,
) -> None:
    release = newer(StockReserved(order_id=uuid4(), lines=(), total_minor=5, currency="EUR"))
    reader = Codec(schemas.CATALOG)
    assert reader.unknown_in(release.data) == release.fingerprint
    with pytest.raises(UnknownFingerprint):
        reader.decode(release.data)

    await publish(reader, kafka_bootstrap)
    await deploy(kafka_bootstrap, release)
    for each, published in (await read(kafka_bootstrap, {release.fingerprint})).items():
        reader.learn(each, published)

    assert reader.unknown_in(release.data) is None
    message = reader.decode(release.data)
    assert isinstance(message, StockReserved)
    assert message.total_minor == 5


async def test_what_can_not_be_used_is_passed_over(kafka_bootstrap: str) -> None:
    await publish(Codec(schemas.CATALOG), kafka_bootstrap)
    written_at = datetime.now(UTC).isoformat().encode()
    await newer_writer.publish(kafka_bootstrap, b"no fingerprint", written_at)
    await newer_writer.publish(kafka_bootstrap, b"0011223344556677", b'{"type": "record"}')
    await newer_writer.publish(kafka_bootstrap, b"8899aabbccddeeff", None)
    useless = {bytes.fromhex("0011223344556677"), bytes.fromhex("8899aabbccddeeff")}
    found = await read(kafka_bootstrap, {StockReserved.fingerprint, *useless})
    assert found.keys() == {StockReserved.fingerprint}


def test_a_type_that_this_release_does_not_have_stays_unknown() -> None:
    codec = Codec(schemas.CATALOG)
    data = b"\xc3\x01" + b"newtype!" + b"body"
    codec.learn(b"newtype!", {"type": "record", "name": "New", "namespace": "x", "fields": []})
    assert codec.unknown_in(data) == b"newtype!"


@pytest.mark.parametrize("data", [None, b"", b"\xc3\x01short", b"no encoding at all"])
def test_what_no_schema_would_help_is_not_waited_for(data: bytes | None) -> None:
    assert Codec(schemas.CATALOG).unknown_in(data) is None
