"""A topic on a real Kafka, written by a test as it likes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from sagaline.chassis import log_reader
from sagaline.chassis.log_reader import LogReader
from sagaline.chassis.log_records import LogRecord
from sagaline.local.topics import broker
from tests.unit.topics.records import KEY, VALUE, headers

PARTITIONS = 3
BEGIN = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


class Latin(str):
    """A header's name in another encoding, as a client in C may write it."""

    def encode(self, *_: object) -> bytes:
        return super().encode("latin-1")


class Log:
    """A topic: `write` gives a record its partition and its Kafka time."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.bootstrap = bootstrap
        self.topic = topic
        self.producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")

    async def make(self) -> None:
        async with broker.connected(self.bootstrap) as kafka:
            keep = {"retention.ms": "-1"}  # records here have times of their own
            await kafka.make(self.topic, partitions=PARTITIONS, settings=keep)
        await self.producer.start()

    async def close(self) -> None:
        await self.producer.stop()

    async def write(
        self,
        partition: int,
        *,
        at_ms: int = 0,
        key: str = KEY,
        value: bytes | None = VALUE,
        extra: Sequence[tuple[str, bytes | None]] = (),
        **envelope: Any,
    ) -> int:
        """The record stands in the log, `at_ms` after the begin of all; its offset."""
        metadata = await self.producer.send_and_wait(
            self.topic,
            partition=partition,
            key=key.encode(),
            value=value,
            headers=[*headers(subject=key, **envelope), *extra],
            timestamp_ms=int(BEGIN.timestamp() * 1000) + at_ms,
        )
        return int(metadata.offset)

    async def write_unreadable(self, partition: int) -> None:
        """A record stands in the log with a header whose name is no UTF-8."""
        batch = self.producer.create_batch()
        # The builder in C takes no names but those that it encodes itself.
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 16_384)
        named = [(Latin("Stra\xdfe"), b"")]
        batch.append(timestamp=None, key=KEY.encode(), value=VALUE, headers=named)
        await (await self.producer.send_batch(batch, self.topic, partition=partition))

    @staticmethod
    def time(at_ms: int) -> datetime:
        return BEGIN + timedelta(milliseconds=at_ms)

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[LogReader]:
        async with log_reader.opened(
            self.topic, bootstrap=self.bootstrap, client_id="test"
        ) as reader:
            yield reader

    async def all(self) -> list[LogRecord]:
        async with self.reader() as reader:
            return [record async for record in reader.read(await reader.extent())]
