"""What the relay's tests stand on: a database with an outbox, topics and what stands in them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import NamedTuple, TypeVar
from uuid import uuid4

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from asyncpg.pool import PoolConnectionProxy
from prometheus_client import CollectorRegistry

import schemas
from sagaline.chassis.codec import Codec
from sagaline.chassis.outbox import Outbox
from sagaline.chassis.producer import ProducerLimits
from sagaline.chassis.relay import Relay, RelayLimits

TABLES: Sequence[str] = [
    statement
    for revision in ("0001_chassis", "0002_interventions")
    for statement in import_module(f"sagaline.chassis.migrations.versions.{revision}").STATEMENTS
]
# Quicker than in production, so that a test of an outage takes seconds.
LIMITS = RelayLimits(
    backoff_max_ms=500,
    unpublishable_tries_max=3,
    unknown_topic_retry_ms=100,
    producer=ProducerLimits(request_timeout_ms=2_000, delivery_timeout_ms=3_000),
)


T = TypeVar("T")


class Sent(NamedTuple):
    """A record as it stands in a log."""

    partition: int
    key: str
    value: str
    headers: dict[str, str]


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_relay(
    database_url: str,
    bootstrap: str,
    *,
    owner: str = "drainer",
    limits: RelayLimits = LIMITS,
    registry: CollectorRegistry | None = None,
) -> Relay:
    outbox = Outbox(
        Codec(schemas.CATALOG),
        service="inventory_service",
        message_bytes_max=262_144,
        clock=utc_now,
    )
    return Relay(
        database_url=database_url,
        bootstrap=bootstrap,
        outbox=outbox,
        owner=owner,
        registry=registry or CollectorRegistry(),
        log=structlog.get_logger(),
        clock=utc_now,
        limits=limits,
    )


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    """The relay runs for the block, and is stopped in an orderly way."""
    stopping = asyncio.Event()
    task = asyncio.create_task(relay.run(stopping))
    try:
        yield relay
    finally:
        stopping.set()
        await asyncio.wait_for(task, 20)


async def eventually(
    holds: Callable[[], Awaitable[object] | object], *, within_s: float, what: str
) -> None:
    """Return as soon as `holds()` gives something true; fail when that takes too long."""
    until_s = time.monotonic() + within_s
    while True:
        found = holds()
        if await found if isinstance(found, Awaitable) else found:
            return
        assert time.monotonic() < until_s, f"{what}: not within {within_s} s"
        await asyncio.sleep(0.02)


async def create_topic(
    bootstrap: str, name: str, *, partitions: int = 4, settings: Mapping[str, str] | None = None
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topic = NewTopic(name, partitions, 1, topic_configs=dict(settings or {}))
        await admin.create_topics([topic])
    finally:
        await admin.close()


async def log_of(bootstrap: str, topic: str, *, partitions: int = 4) -> list[Sent]:
    """All records that stand in the topic now, each partition's in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: list[Sent] = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                for record in (await consumer.getmany(place, timeout_ms=1_000)).get(place, []):
                    headers = {name: value.decode() for name, value in record.headers}
                    value = (record.value or b"").decode(errors="replace")
                    found.append(Sent(record.partition, record.key.decode(), value, headers))
        return found
    finally:
        await consumer.stop()


def first_values(records: Sequence[Sent]) -> dict[str, list[str]]:
    """By key, the values in the order in which each stands in the log for the first time."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        found.setdefault(record.key, {}).setdefault(record.value)
    return {key: list(values) for key, values in found.items()}


def figure(registry: CollectorRegistry, name: str) -> float:
    """A metric's value now."""
    found = registry.get_sample_value(name)
    assert found is not None, name
    return found


class Writer:
    """Writes outbox rows, as a service's transactions do, and says what waits."""

    def __init__(self, connection: asyncpg.Connection | PoolConnectionProxy, topic: str) -> None:
        self.connection = connection
        self.topic = topic

    async def write(
        self,
        key: str,
        *values: str,
        topic: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[int]:
        """Rows of `key` in one transaction: their ids."""
        rows = await self.connection.fetch(
            """
            INSERT INTO sagaline.outbox (topic, key, type, message_id, headers, payload, created_at)
            SELECT $1, $2, 'test', $3, $4, convert_to(value, 'UTF8'), clock_timestamp()
            FROM unnest($5::text[]) WITH ORDINALITY AS given(value, place) ORDER BY place
            RETURNING id
            """,
            topic or self.topic,
            key,
            uuid4(),
            json.dumps(dict(headers or {"ce_type": "test"})),
            list(values),
        )
        return [row["id"] for row in rows]

    async def waiting(self) -> list[tuple[str, str]]:
        """Key and value of all rows, quarantined ones included."""
        rows = await self.connection.fetch("SELECT key, payload FROM sagaline.outbox ORDER BY id")
        return [(row["key"], row["payload"].decode(errors="replace")) for row in rows]

    async def count(self) -> int:
        return len(await self.waiting())

    async def empty(self) -> bool:
        return not await self.connection.fetchval("SELECT count(*) FROM sagaline.outbox")

    async def emptied(self, *, within_s: float = 20) -> None:
        await eventually(self.empty, within_s=within_s, what="the outbox is empty")

    async def quarantined(self) -> list[str]:
        """Keys of quarantined rows, in id order."""
        rows = await self.connection.fetch(
            "SELECT key FROM sagaline.outbox WHERE quarantined_at IS NOT NULL ORDER BY id"
        )
        return [row["key"] for row in rows]

    async def terminate(self, backend_pid: int | None) -> None:
        assert backend_pid is not None
        await self.connection.execute("SELECT pg_terminate_backend($1)", backend_pid)

    async def epoch(self) -> int:
        found = await self.connection.fetchval("SELECT max(epoch) FROM sagaline.lanes")
        return int(found or 0)

    async def owner(self) -> str | None:
        """Who took the lane last."""
        found: str | None = await self.connection.fetchval("SELECT owner FROM sagaline.lanes")
        return found


async def traffic(url: str, topic: str, *, keys: int, each: int) -> dict[str, list[str]]:
    """Transactions side by side, a row each, a key's one after the other; what was written."""
    pool = await asyncpg.create_pool(url, min_size=4, max_size=4)
    written: dict[str, list[str]] = {}

    async def one_key(key: str) -> None:
        for number in range(each):
            async with pool.acquire() as connection:
                await Writer(connection, topic).write(key, str(number))
            written.setdefault(key, []).append(str(number))

    await asyncio.gather(*(one_key(str(uuid4())) for _ in range(keys)))
    await pool.close()
    return written


async def is_(found: Awaitable[T], wanted: T) -> bool:
    """What was asked for is what was found."""
    return await found == wanted
