"""What the chassis' tests share: a service that is a shop, its topics and its database."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import text

import schemas
from sagaline.chassis import logs, migrate, positions, wiring
from sagaline.chassis.background import Background
from sagaline.chassis.batch import Cursors, Raw
from sagaline.chassis.catalog import Catalog, Message
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.consumer import Consumer
from sagaline.chassis.database import Database, Transaction, open_engine
from sagaline.chassis.envelope import Envelope, Record, command_id, saga_id
from sagaline.chassis.handlers import Consumes, HandlerTable
from sagaline.chassis.health import Health
from sagaline.chassis.messages import Revoke
from sagaline.chassis.running import Running
from sagaline.chassis.settings import ServiceSettings
from schemas import Topic
from schemas.messages import (
    CommitStock,
    ReleaseStock,
    ReserveStock,
    StockCommitted,
    StockRefused,
    StockReleased,
    StockReserved,
)

PARTITIONS = 4
STEP = "reserve_stock"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
# Quicker than in production, so that a test of a bad day takes a second.
QUICK = {
    "kafka_session_timeout_ms": 1_000,
    "kafka_heartbeat_interval_ms": 100,
    "commit_interval_ms": 50,
    "watch_interval_ms": 1_000,
    "revoke_timeout_ms": 1_000,
    "backoff_first_ms": 10,
    "backoff_max_ms": 100,
    "attempts_max": 3,
}

Effects: TypeAlias = Counter[tuple[int, str]]
Hook: TypeAlias = Callable[[Transaction, Sequence[Message]], Awaitable[None]]
D = TypeVar("D", bound=Database)


def order(number: int) -> UUID:
    """The id of a test's order of this number."""
    return UUID(int=number)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record to be written."""

    partition: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None

    def with_headers(self, **headers: str | None) -> "Parcel":
        """Other values for some headers; None leaves one out. `_` stands for `-`."""
        changed = {name.replace("content_type", "content-type"): v for name, v in headers.items()}
        kept = [(name, value) for name, value in self.headers if name not in changed]
        added = [(name, v.encode()) for name, v in changed.items() if v is not None]
        return replace(self, headers=(*kept, *added))


class Answer(NamedTuple):
    """A row of the outbox that answers a command."""

    order: int
    outcome: str
    direction: str
    generation: int
    code: str | None  # of a refusal, or of a notice
    message_id: UUID
    payload: bytes


class Shop:
    """Handlers that write each effect as a row, as often as it happens.

    A test says which orders are refused and which fail, and what else is to happen in a batch.
    """

    def __init__(self) -> None:
        self.refused: set[int] = set()
        self.broken: set[int] = set()
        self.error: Exception = ValueError("this order can't be handled")
        self.before: Hook = nothing
        self.after: Hook = nothing
        self.batches: list[list[int]] = []

    @property
    def handlers(self) -> HandlerTable:
        return {ReserveStock: self.reserve, ReleaseStock: self.release, CommitStock: self.commit}

    async def reserve(self, tx: Transaction, batch: Sequence[ReserveStock]) -> list[Message]:
        taken = [each for each in batch if each.order_id.int not in self.refused]
        await self._work(tx, batch, taken, "reserved")
        return [self._answer(each) for each in batch]

    async def release(self, tx: Transaction, batch: Sequence[ReleaseStock]) -> list[Message]:
        await self._work(tx, batch, batch, "released")
        return [StockReleased(order_id=each.order_id) for each in batch]

    async def commit(self, tx: Transaction, batch: Sequence[CommitStock]) -> list[Message]:
        await self._work(tx, batch, batch, "committed")
        return [StockCommitted(order_id=each.order_id) for each in batch]

    async def _work(
        self,
        tx: Transaction,
        batch: Sequence[ReserveStock | ReleaseStock | CommitStock],
        taken: Sequence[ReserveStock | ReleaseStock | CommitStock],
        what: str,
    ) -> None:
        numbers = [each.order_id.int for each in batch]
        self.batches.append(numbers)
        await self.before(tx, batch)
        await tx.execute(
            text(
                "INSERT INTO effect (order_id, what) SELECT unnest(CAST(:orders AS uuid[])), :what"
            ),
            {"orders": [each.order_id for each in taken], "what": what},
        )
        if self.broken & set(numbers):
            raise self.error
        await self.after(tx, batch)

    def _answer(self, asked: ReserveStock) -> Message:
        if asked.order_id.int in self.refused:
            detail = "None is left."
            return StockRefused(
                order_id=asked.order_id, sku="LAMP-1", code="out_of_stock", detail=detail
            )
        return StockReserved(order_id=asked.order_id, lines=(), total_minor=0, currency="EUR")


async def nothing(tx: Transaction, batch: Sequence[Message]) -> None:
    """The hook of a test that has nothing to add."""


def once(hook: Hook) -> Hook:
    """`hook` at its first call, and nothing at later ones."""
    left = [hook]

    async def first(tx: Transaction, batch: Sequence[Message]) -> None:
        if left:
            await left.pop()(tx, batch)

    return first


async def eventually(
    holds: Callable[[], Awaitable[object] | object], *, what: str, within_s: float = 10
) -> None:
    """Return as soon as `holds()` gives something true; fail when that takes too long."""
    until_s = time.monotonic() + within_s
    while True:
        found = holds()
        if await found if isinstance(found, Awaitable) else found:
            return
        assert time.monotonic() < until_s, f"{what}: not within {within_s} s"
        await asyncio.sleep(0.02)


class Stage:
    """One service: its database at `url`, topics of its own at `bootstrap`, and a shop."""

    def __init__(self, service: str, url: str, bootstrap: str) -> None:
        self.service = service
        self.url = url
        self.bootstrap = bootstrap
        self.commands = f"{service}.commands.v1"
        self.replies = f"{service}.replies.v1"
        self.letters = f"{service}.dlq.v1"
        self.catalog = catalog_of(service)
        self.codec = Codec(self.catalog)
        self.shop = Shop()
        self.ends: dict[int, int] = {}  # of the log of commands, by partition
        self.metrics = CollectorRegistry()
        self.database = self.open_database(Database)
        self._producer: AIOKafkaProducer | None = None

    # Kafka

    async def _producing(self) -> AIOKafkaProducer:
        """The producer of commands, made at first use, when their topic is made, too."""
        if self._producer is None:
            await self._create_topic()
            producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True)
            await producer.start()
            self._producer = producer
        return self._producer

    async def _create_topic(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.commands, PARTITIONS, 1)])
        finally:
            await admin.close()

    async def delete_records(self, partition: int, *, before: int) -> None:
        """The log of this partition begins at `before`."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            place = TopicPartition(self.commands, partition)
            await admin.delete_records({place: RecordsToDelete(before_offset=before)})
        finally:
            await admin.close()

    async def send(self, *parcels: Parcel) -> None:
        """The parcels stand in the log, in this order."""
        producer = await self._producing()
        sent = [
            await producer.send(
                self.commands,
                parcel.value,
                key=parcel.key,
                partition=parcel.partition,
                headers=list(parcel.headers),
            )
            for parcel in parcels
        ]
        for metadata in await asyncio.gather(*sent):
            self.ends[metadata.partition] = metadata.offset + 1

    async def committed(self) -> dict[int, int]:
        """The group's committed offsets in the topic of commands."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self.service)
        finally:
            await admin.close()
        return {
            place.partition: at.offset
            for place, at in found.items()
            if place.topic == self.commands and at.offset >= 0
        }

    # Consumers

    def settings(self, *, slot: int = 0, **changed: int) -> ServiceSettings:
        kind = type("Settings", (ServiceSettings,), {"service": self.service, "__module__": ""})
        settings: ServiceSettings = kind(
            database_url=SecretStr(self.url),
            kafka_bootstrap=self.bootstrap,
            process_slot=slot,
            **(QUICK | changed),
        )
        return settings

    def open_database(self, kind: type[D], *, timeout_s: float = 5.0) -> D:
        """A database as the service opens its own."""
        engine = open_engine(self.url, pool_size=5, command_timeout_s=timeout_s)
        outbox = wiring.outbox_of(self.settings(), self.codec)
        return kind(engine, flush=outbox.flush)

    def consumer(
        self,
        *,
        slot: int = 0,
        database: Database | None = None,
        consumes: Consumes | None = None,
        **settings: int,
    ) -> Consumer:
        """A consumer, wired as a service wires its own."""
        running = self.running(database=database, slot=slot, **settings)
        return wiring.consumer_of(running, consumes or {self.commands: self.shop.handlers})

    async def handle_directly(self, *parcels: Parcel) -> None:
        """The service's inbox has handled a batch of these, without a Kafka."""
        tables = {self.commands: self.shop.handlers}
        inbox = wiring._inbox(self.running(), tables, tables)
        batch: list[Raw] = []
        for parcel in parcels:
            offset = self.ends.get(parcel.partition, 0)
            self.ends[parcel.partition] = offset + 1
            batch.append(
                Raw(
                    self.commands,
                    parcel.partition,
                    offset,
                    parcel.key,
                    parcel.headers,
                    parcel.value,
                )
            )
        cursors = Cursors(passed=lambda _spans, _outbox_id: None)
        async with self.database.transaction() as tx:
            starts = {(self.commands, parcel.partition): 0 for parcel in parcels}
            cursors.set(await positions.claim(tx, starts, owner="test"))
        await inbox.handle(batch, cursors)

    def running(
        self, *, database: Database | None = None, slot: int = 0, **settings: int
    ) -> Running:
        """The service, as its parts see it."""
        log, stopping = logs.logger(self.service), asyncio.Event()
        return Running(
            service=self.service,
            settings=self.settings(slot=slot, **settings),
            database=database or self.database,
            catalog=self.catalog,
            codec=self.codec,
            log=log,
            metrics=CollectorRegistry(),
            app=FastAPI(),
            health=Health(),
            background=Background(stopping, log),
            stopping=stopping,
        )

    @asynccontextmanager
    async def consuming(
        self,
        *,
        slot: int = 0,
        database: Database | None = None,
        consumes: Consumes | None = None,
        **settings: int,
    ) -> AsyncIterator[Consumer]:
        """A consumer runs for the block, and is stopped in an orderly way."""
        await self._producing()
        consumer = self.consumer(slot=slot, database=database, consumes=consumes, **settings)
        async with running(consumer):
            yield consumer

    async def handle_all(self, *parcels: Parcel, within_s: float = 10) -> None:
        """Send the parcels, and let a consumer handle all that waits."""
        await self.send(*parcels)
        async with self.consuming():
            await self.all_read(within_s=within_s)

    async def all_read(self, *, within_s: float = 10) -> None:
        """The service's positions stand at the ends of the log."""

        async def at_the_end() -> bool:
            positions = await self.positions()
            return all(positions.get(partition) == end for partition, end in self.ends.items())

        await eventually(at_the_end, within_s=within_s, what="all is read")

    # The database

    async def query(
        self, statement: str, parameters: Mapping[str, object] | None = None
    ) -> list[tuple[object, ...]]:
        """Rows of a statement, in a transaction of its own."""
        async with self.database.transaction() as tx:
            found = await tx.execute(text(statement), parameters)
            return [tuple(row) for row in found] if found.returns_rows else []

    async def positions(self) -> dict[int, int]:
        """How far the topic of commands is read, by partition."""
        rows = await self.query("SELECT partition, next_offset FROM sagaline.positions")
        return {int(str(partition)): int(str(offset)) for partition, offset in rows}

    async def parked_keys(self) -> dict[int, int]:
        """The count of parked keys, where there are any."""
        rows = await self.query(
            "SELECT partition, parked_keys FROM sagaline.positions WHERE parked_keys > 0"
        )
        return {int(str(partition)): int(str(count)) for partition, count in rows}

    async def parked(self) -> list[tuple[int, str]]:
        """Order and error class of the parked records, by partition and offset."""
        rows = await self.query(
            'SELECT key, error_class FROM sagaline.parked ORDER BY partition, "offset"'
        )
        return [(UUID(str(key)).int, str(error)) for key, error in rows]

    async def effects(self) -> Effects:
        """How often each effect happened."""
        rows = await self.query("SELECT order_id, what FROM effect")
        return Counter((UUID(str(order_id)).int, str(what)) for order_id, what in rows)

    async def answers(self) -> list[Answer]:
        """Rows of the outbox that answer commands, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.execute(
                text(
                    "SELECT key, headers, message_id, payload FROM sagaline.outbox"
                    " WHERE topic = :topic ORDER BY id"
                ),
                {"topic": self.replies},
            )
            return [
                Answer(
                    UUID(row.key).int,
                    row.headers["ce_sagaoutcome"],
                    row.headers["ce_sagadirection"],
                    int(row.headers["ce_sagageneration"]),
                    getattr(self.codec.decode(row.payload), "code", None),
                    row.message_id,
                    row.payload,
                )
                for row in rows
            ]

    async def outcomes(self, number: int) -> list[str]:
        """What the answers for this order say, in order."""
        return [each.outcome for each in await self.answers() if each.order == number]

    async def relay_everything(self) -> None:
        """The outbox is empty, as after the broker's acks."""
        await self.query("DELETE FROM sagaline.outbox")

    async def barrier(self) -> dict[tuple[int, str], str | None]:
        """The barrier's rows: outcome by order and direction."""
        rows = await self.query(
            "SELECT held.saga_id, held.direction, held.outcome FROM sagaline.barrier AS held"
        )
        sagas = {saga(number): number for number in range(1_000)}
        return {
            (sagas[UUID(str(saga_id))], str(direction)): None if outcome is None else str(outcome)
            for saga_id, direction, outcome in rows
        }

    async def close(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
        await self.database.close()

    # Commands, as the orchestrator sends them

    def action(self, number: int, *, generation: int = 1) -> Parcel:
        message = ReserveStock(order_id=order(number), currency="EUR", lines=())
        return self.parcel(number, message, "action", generation)

    def undo(self, number: int, *, saw: str = "done", generation: int = 1) -> Parcel:
        """The undo of an action that its saga saw `done`, or is `indoubt` about."""
        message = ReleaseStock(order_id=order(number))
        return self.parcel(number, message, "undo", generation, action=saw)

    def revoke(self, number: int, *, generation: int = 1) -> Parcel:
        message = Revoke(key=str(order(number)), saga_id=saga(number), step=STEP)
        return self.parcel(number, message, "revoke", generation)

    def parcel(
        self,
        number: int,
        message: Message,
        direction: str,
        generation: int,
        *,
        action: str | None = None,
        step: str = STEP,
    ) -> Parcel:
        envelope = Envelope(
            id=command_id(saga(number), step, direction, generation),
            type=message.avro_name,
            source="/saga_orchestrator",
            subject=str(order(number)),
            time=NOON,
            traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
            saga_id=saga(number),
            step=step,
            direction=direction,
            generation=generation,
            action=action,
        )
        headers = tuple((name, value.encode()) for name, value in envelope.headers().items())
        key = str(order(number)).encode()
        return Parcel(number % PARTITIONS, key, headers, self.codec.encode(message))

    def record(self, parcel: Parcel, *, offset: int = 0) -> Record:
        """The parcel as a handler meets it."""
        envelope = Envelope.parse(parcel.headers)
        message = self.codec.decode(parcel.value or b"")
        key = (parcel.key or b"").decode()
        value = parcel.value or b""
        return Record(self.commands, parcel.partition, offset, key, envelope, message, value)

    async def wait_for_locks(self, count: int) -> None:
        """So many sessions wait for a lock."""
        waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"

        async def waits() -> bool:
            return await self.query(waiting) == [(count,)]

        await eventually(waits, what=f"{count} sessions wait")

    async def sleeping(self) -> None:
        """A session of this database is in `pg_sleep`."""
        sleeps = """
            SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep'
        """
        await eventually(lambda: self.query(sleeps), what="a session sleeps")

    def handler(self) -> Commands:
        """The barrier around the shop, for tests that open transactions themselves."""
        return Commands(
            self.shop.handlers,
            codec=self.codec,
            replies_topic=self.replies,
            service=self.service,
        )


def saga(number: int) -> UUID:
    """The saga of the order of this number."""
    return saga_id("place-order", str(order(number)))


def catalog_of(service: str) -> Catalog:
    """The platform's messages, on topics of one service."""

    def topic(name: str, owner: str, reader: str, *messages: type[Message]) -> Topic:
        return Topic(
            name=f"{service}.{name}.v1",
            owner=owner,
            readers=(reader,),
            key="order_id",
            messages=tuple(message.avro_name for message in messages),
            partitions=PARTITIONS,
            retention_ms=604_800_000,
            cleanup_policy="delete",
            pii="none",
        )

    commands: Iterable[type[Message]] = (ReserveStock, ReleaseStock, CommitStock, Revoke)
    replies = (StockReserved, StockRefused, StockReleased, StockCommitted)
    topics = (
        topic("commands", "saga_orchestrator", service, *commands),
        topic("replies", service, "saga_orchestrator", *replies),
        topic("dlq", service, "operators"),
    )
    return replace(schemas.CATALOG, topics={each.name: each for each in topics})


@asynccontextmanager
async def running(consumer: Consumer) -> AsyncIterator[None]:
    """The consumer runs for the block; what it ends in, the block ends in."""
    stopping = asyncio.Event()
    task = asyncio.create_task(consumer.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(task, 20)


async def migrated(url: str) -> None:
    """The database at `url`, opened as its owner, has the chassis' tables and the shop's."""
    engine = migrate.open_engine(url, connect_timeout_s=5, statement_timeout_s=30)
    try:
        chains = migrate.chains("a service without migrations of its own")
        await migrate.upgrade(engine, chains, lock_timeout_ms=2_000, upgraded=lambda *_: None)
        async with engine.connect() as connection, connection.begin():
            await connection.execute(text("CREATE TABLE effect (order_id uuid, what text)"))
    finally:
        await engine.dispose()


async def log_end(bootstrap: str, topic: str, partition: int) -> int:
    """Where the log of a partition ends."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        place = TopicPartition(topic, partition)
        return int((await consumer.end_offsets([place]))[place])
    finally:
        await consumer.stop()
