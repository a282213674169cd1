"""The whole gateway on a real Kafka: orders leave through its outbox, snapshots come in."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

import schemas
from gateway_service.service import service
from gateway_service.settings import GatewaySettings
from sagaline.chassis import topics
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import Envelope
from tests.integration.gateway.stage import AN_ORDER
from tests.integration.gateway.test_projection import snapshot

REQUESTS, SNAPSHOTS = "orders.requests.v1", "sagas.events.v1"
NOBODY = "127.0.0.1:1"  # a port on which nobody listens


@pytest_asyncio.fixture
async def bootstrap(kafka_bootstrap: str) -> str:
    """Where the topics of the gateway and of the orchestrator are."""
    for owner in ("gateway_service", "saga_orchestrator"):
        await topics.create(
            schemas.CATALOG,
            service=owner,
            bootstrap=kafka_bootstrap,
            partitions=4,
            replicas=1,
            timeout_ms=20_000,
        )
    return kafka_bootstrap


def settings(database_url: str, bootstrap: str) -> GatewaySettings:
    given = {"database_url": database_url, "kafka_bootstrap": bootstrap, "relay_drain_ms": 0}
    return GatewaySettings.model_validate(given)


@pytest_asyncio.fixture
async def client(database_url: str, bootstrap: str) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to a whole gateway."""
    async with service(settings(database_url, bootstrap)).running() as running:
        transport = httpx.ASGITransport(app=running.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def sent_about(bootstrap: str, order: str) -> tuple[Envelope, dict[str, object]]:
    """The first record about this order among the requests."""
    consumer = AIOKafkaConsumer(
        REQUESTS, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            async for record in consumer:
                if record.key == order.encode():
                    message = Codec(schemas.CATALOG, bytes_max=262_144).decode(record.value)
                    return Envelope.parse(record.headers), message.model_dump()
    finally:
        await consumer.stop()
    raise AssertionError("a consumer's records have no end")


async def publish_outcome(bootstrap: str, order: str) -> None:
    """What the orchestrator tells when this order's saga is past its pivot."""
    message = snapshot(order, 3, state="COMMITTED", verdict="committed")
    envelope = Envelope(
        id=uuid4(),
        type=message.avro_name,
        source="/saga_orchestrator",
        subject=order,
        time=datetime.now(UTC),
    )
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(
            SNAPSHOTS,
            Codec(schemas.CATALOG, bytes_max=262_144).encode(message),
            key=order.encode(),
            headers=[(name, text.encode()) for name, text in envelope.headers().items()],
        )


async def once_decided(client: httpx.AsyncClient, link: str) -> dict[str, Any]:
    """The order, as soon as it is shown to be CONFIRMED or REJECTED."""
    async with asyncio.timeout(30):
        while True:
            shown: dict[str, Any] = (await client.get(link)).json()
            if shown["status"] != "PENDING":
                return shown
            await asyncio.sleep(0.02)


async def test_an_order_goes_out_and_its_outcome_comes_in(
    client: httpx.AsyncClient, bootstrap: str
) -> None:
    accepted = (await client.post("/orders", json=AN_ORDER)).json()
    order, links = accepted["order_id"], accepted["links"]
    envelope, placed = await sent_about(bootstrap, order)
    assert (envelope.type, envelope.source) == ("orders.requests.PlaceOrder", "/gateway_service")
    assert placed["customer_id"] == AN_ORDER["customer_id"]

    await publish_outcome(bootstrap, order)
    shown = await once_decided(client, links["self"])
    assert (shown["status"], shown["saga"]["sequence"]) == ("CONFIRMED", 3)
    assert shown["placed_at"] < shown["ended_at"]
    assert (await client.get(links["saga"])).json()["state"] == "COMMITTED"


@pytest.mark.parametrize("count", [1, 50])
async def test_orders_are_accepted_while_kafka_is_away(database_url: str, count: int) -> None:
    async with service(settings(database_url, NOBODY)).running() as running:
        transport = httpx.ASGITransport(app=running.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            posts = [client.post("/orders", json=AN_ORDER) for _ in range(count)]
            answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} == {202}
