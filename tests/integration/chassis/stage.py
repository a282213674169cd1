"""What the chassis' tests share: a service that is a shop, its topics and its database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import text

from sagaline.chassis import logs, migrate, positions, wiring
from sagaline.chassis.background import Background
from sagaline.chassis.batch import Cursors, Raw
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.consumer import Consumer
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.handlers import Consumes
from sagaline.chassis.health import Health
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.running import Running
from sagaline.chassis.settings import ServiceSettings
from tests.integration.chassis.parcels import PARTITIONS, Orchestrator, Parcel, catalog_of
from tests.integration.chassis.rows import Tables, eventually
from tests.integration.chassis.shop import Shop

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
    "schema_wait_max_ms": 0,
    "retention_horizon_ms": 3_650 * 86_400_000,  # the parcels are of a certain noon
}

D = TypeVar("D", bound=Database)


class Stage(Orchestrator, Tables):
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
        consumes = consumes or {self.commands: self.shop.handlers}
        return wiring.consumer_of(running, consumes, wiring.inbox_of(running, consumes))

    async def handle_directly(self, *parcels: Parcel) -> None:
        """The service's inbox has handled a batch of these, without a Kafka."""
        batch, cursors = await self.delivered(*parcels)
        await self.inbox().handle(batch, cursors)

    def inbox(self) -> Inbox:
        """The inbox of a process of this service."""
        tables = {self.commands: self.shop.handlers}
        return wiring.inbox_of(self.running(), tables)

    async def delivered(self, *parcels: Parcel) -> tuple[list[Raw], Cursors]:
        """A batch of these, in the hands of a process that has just claimed their partitions."""
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
        return batch, cursors

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
            operator_app=FastAPI(),
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

    def handler(self) -> Commands:
        """The barrier around the shop, for tests that open transactions themselves."""
        return Commands(
            self.shop.handlers,
            codec=self.codec,
            replies_topic=self.replies,
            service=self.service,
        )

    async def close(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
        await self.database.close()


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
