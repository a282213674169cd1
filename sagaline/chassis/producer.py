"""The producer: rows of the outbox to Kafka, one record batch for each partition at a time.

See docs/architecture.md, "Relay". A producer lives until its first error: idempotence
covers what it sends again by itself, and after an error a new one starts at the lowest row left.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from sagaline.chassis.fresh import Row
from sagaline.chassis.partitioner import partition_of

HASHED_KEYS_MAX = 8_192  # pure Python; an order's messages come close to each other


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerLimits:
    """How much goes to Kafka at once, and how long an answer may take."""

    batch_bytes_max: int = 512 * 1024  # of one partition; below the broker's message.max.bytes
    request_bytes_max: int = 8 * 1024 * 1024
    request_timeout_ms: int = 5_000
    delivery_timeout_ms: int = 10_000  # of a round, requests that are tried again included
    close_timeout_ms: int = 1_000
    metadata_max_age_ms: int = 60_000


class Failure(NamedTuple):
    """A batch that was not acked: what it held, and why. Its records may stand in the log."""

    rows: Sequence[Row]
    error: Exception


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a round's rows; those of none of the three wait for the next round."""

    acked: list[int]
    failures: list[Failure]
    unknown: Mapping[str, Sequence[Row]]  # by topic; Kafka says that there is no such topic


@dataclass(slots=True)
class Batch:
    """What goes to one partition in one round: a prefix of its rows."""

    builder: BatchBuilder
    rows: list[Row] = field(default_factory=list)
    closed: bool = False

    def add(self, row: Row, *, alone: bool) -> None:
        """Take the row if it fits; once one of a partition waits, all later ones do."""
        if self.closed or (alone and self.rows):
            self.closed = True
            return
        headers = [(name, value.encode()) for name, value in row.headers.items()]
        taken = self.builder.append(
            timestamp=None, key=row.key.encode(), value=row.payload, headers=headers
        )
        self.closed = alone or taken is None
        if taken is not None:
            self.rows.append(row)


async def close(producer: AIOKafkaProducer, *, within_ms: int) -> None:
    """What waits is never sent, started or not; without an error, whatever Kafka does."""
    # aiokafka's stop() flushes first, which has no end while a broker is silent, and there is
    # no public way around it. Cancelled, the sender ends with the answers that it waits for;
    # cancelled again, without them.
    closing_s = within_ms / 1000
    sender = producer._sender.sender_task  # noqa: SLF001 - see above
    while sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait({sender}, timeout=closing_s / 2)
    producer._closed = True  # noqa: SLF001 - else it complains of not being stopped
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(closing_s):
            await producer.client.close()


class Producer:
    """An idempotent producer; after an error it is only good for being closed."""

    def __init__(self, bootstrap: str, *, client_id: str, limits: ProducerLimits) -> None:
        self._limits = limits
        self._partition_of = lru_cache(maxsize=HASHED_KEYS_MAX)(partition_of)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,  # a round is a batch already
            compression_type=None,
            max_batch_size=limits.batch_bytes_max,
            max_request_size=limits.request_bytes_max,
            request_timeout_ms=limits.request_timeout_ms,
            retry_backoff_ms=100,
            metadata_max_age_ms=limits.metadata_max_age_ms,
        )

    async def start(self) -> None:
        """Kafka was reached. Raises KafkaError or TimeoutError; `close` is due in either case."""
        async with asyncio.timeout(self._limits.delivery_timeout_ms / 1000):
            await self._producer.start()

    async def publish(self, rows: Sequence[Row], *, alone: Collection[int] = ()) -> Published:
        """Send a prefix of each partition's rows and wait for all the answers.

        A row whose id is in `alone` gets a batch of its own. Raises KafkaError or TimeoutError when
        Kafka can't be asked; then nothing is known of any row.
        """
        async with asyncio.timeout(self._limits.delivery_timeout_ms / 1000):
            partitions = await self._partitions({row.topic for row in rows})
        unknown: dict[str, list[Row]] = {}
        for row in rows:
            if row.topic not in partitions:
                unknown.setdefault(row.topic, []).append(row)
        batches = self._fill((row for row in rows if row.topic in partitions), partitions, alone)
        acked, failures = await self._send(batches)
        return Published(acked, failures, unknown)

    async def close(self) -> None:
        """What waits is never sent; without an error, and in bounded time whatever Kafka does."""
        await close(self._producer, within_ms=self._limits.close_timeout_ms)

    async def _partitions(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each topic has; a topic that doesn't exist is absent."""
        client = self._producer.client
        for _ in range(2):  # the first answer may be to a question asked before
            missing = [name for name in topics if not client.cluster.partitions_for_topic(name)]
            if not missing:
                break
            for name in missing:
                client.add_topic(name)
            if not await client.force_metadata_update():
                raise KafkaConnectionError("no broker answers what topics there are")
        found = {name: client.cluster.partitions_for_topic(name) for name in topics}
        return {name: len(ids) for name, ids in found.items() if ids}

    def _fill(
        self, rows: Iterable[Row], partitions: Mapping[str, int], alone: Collection[int]
    ) -> dict[tuple[str, int], Batch]:
        """A batch for each partition: a prefix of its rows, in order."""
        batches: dict[tuple[str, int], Batch] = {}
        bytes_left = self._limits.request_bytes_max
        for row in rows:
            number = self._partition_of(row.key, partitions[row.topic])
            batch = batches.get((row.topic, number))
            if batch is None:
                batch = batches[row.topic, number] = Batch(self._producer.create_batch())
            batch.add(row, alone=row.id in alone)
            bytes_left -= len(row.payload or b"")
            if bytes_left <= 0:
                break
        return batches

    async def _send(
        self, batches: Mapping[tuple[str, int], Batch]
    ) -> tuple[list[int], list[Failure]]:
        """One batch in flight for each partition: the ids acked, and the batches that failed."""
        sent: dict[asyncio.Future[object], Batch] = {}
        acked: list[int] = []
        failures: list[Failure] = []
        try:
            # Nothing here gives way to the sender, so that all batches leave in one request.
            for (topic, number), batch in batches.items():
                answer = await self._producer.send_batch(batch.builder, topic, partition=number)
                sent[answer] = batch
            if sent:
                await asyncio.wait(sent, timeout=self._limits.delivery_timeout_ms / 1000)
        finally:
            late = {answer for answer in sent if not answer.done()}
            for answer in sent:  # cancelled by then, or its error seen: asyncio logs it otherwise
                answer.cancel() if answer in late else answer.exception()
        for answer, batch in sent.items():
            error = KafkaTimeoutError() if answer in late else answer.exception()
            if error is None:
                acked.extend(row.id for row in batch.rows)
            else:
                assert isinstance(error, Exception), error
                failures.append(Failure(batch.rows, error))
        return acked, failures
