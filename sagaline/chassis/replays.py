"""Carries a service's live replays on: one at a time, through its outbox, no faster than asked.

See docs/architecture.md, "Replay". What leaves a service leaves by its outbox, replays too: so its
relay keeps the order of each key, and a crash between the two loses and doubles nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import log_reader, replay_rows
from sagaline.chassis.catalog import Catalog
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.deadline import within
from sagaline.chassis.envelope import Encoded
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.faults import passing
from sagaline.chassis.log_reader import KafkaAway, NoSuchTopic
from sagaline.chassis.log_records import LogRecord, Span, Spans
from sagaline.chassis.offsets import lowest_waiting
from sagaline.chassis.replay import again, matches
from sagaline.chassis.replay_metrics import ReplayMetrics
from sagaline.chassis.replay_rows import Replay
from sagaline.chassis.running import Running

CHUNK_RECORDS_MAX = 100  # what of a replay waits in the outbox at most
PASSED_RECORDS_MAX = 5_000  # read without one that matches; then the row is moved, too
LOOK_MS = 20
TOUCH_MS = 1_000
IDLE_MS = 5_000  # between looks for what another process of the service has left behind
RETRY_MS = 2_000


@asynccontextmanager
async def replaying(running: Running) -> AsyncIterator["Replays"]:
    """A part of every service: carries on the replays of the topics that it writes."""
    settings = running.settings
    replays = Replays(
        running.database,
        running.catalog,
        bootstrap=settings.kafka_bootstrap,
        runner=settings.process_name,
        message_bytes_max=settings.message_bytes_max,
        registry=running.metrics,
        log=running.log.bind(part="replays"),
    )
    running.background.start("replays", replays.run(running.stopping))
    try:
        yield replays
    finally:
        await running.background.end("replays", within_ms=settings.shutdown_grace_ms)


class ReplayLost(PlatformError):
    """Replay {id} was stopped, or another process carries it on."""


@dataclass(slots=True)
class Chunk:
    """What was read since the row was moved last."""

    records: list[Encoded] = field(default_factory=list)
    passed: int = 0
    skipped: int = 0

    @property
    def full(self) -> bool:
        """It is time to write."""
        return self.passed + self.skipped >= PASSED_RECORDS_MAX


def within_log(wanted: Spans, held: Spans) -> dict[int, Span]:
    """Of the wanted offsets those that the log holds; there may be none."""
    return {
        number: Span(max(span.first, held[number].first), min(span.until, held[number].until))
        for number, span in wanted.items()
        if number in held
    }


class Replays:
    """Runs in each process of a service; `runner` tells the processes apart."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        *,
        bootstrap: str,
        runner: str,
        message_bytes_max: int,
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._bootstrap = bootstrap
        self._runner = runner
        self._message_bytes_max = message_bytes_max
        self._metrics = ReplayMetrics(registry)
        self._log = log
        self._awake = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """Look for replays now."""
        self._awake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Carry replays on until `stopping`, whatever fails; what is left goes on after a start."""
        self._stopping = stopping
        waker = asyncio.create_task(self._wake_at_stop())
        try:
            while not stopping.is_set():
                self._awake.clear()
                try:
                    if not await self._carry_on_one():
                        await within(self._awake, IDLE_MS)
                except Exception as error:  # noqa: BLE001 - the top of the loop; logged, counted
                    self._note(error)
                    await within(self._stopping, RETRY_MS)
        finally:
            waker.cancel()

    async def _carry_on_one(self) -> bool:
        """The oldest replay was carried on as far as it goes; false when there is none."""
        async with self._database.transaction() as tx:
            replay = await replay_rows.claim(tx, self._runner)
        if replay is None:
            return False
        self._log.info("replay goes on", id=str(replay.id), topic=replay.topic)
        try:
            await self._write(replay)
        except ReplayLost as lost:
            self._log.info("replay left", reason=str(lost))
        except (KafkaAway, NoSuchTopic) as error:
            self._log.warning("replay waits", id=str(replay.id), reason=str(error))
            async with self._database.transaction() as tx:
                await replay_rows.touch(tx, replay, problem=str(error))
            await within(self._stopping, RETRY_MS)
        finally:
            if self._stopping.is_set():
                async with self._database.transaction() as tx:
                    await replay_rows.release(tx, replay)
        return True

    async def _write(self, replay: Replay) -> None:
        """All that is left of the replay went through the outbox, or a stop came."""
        chunk, size = Chunk(), max(1, min(CHUNK_RECORDS_MAX, replay.per_s))
        offsets = list(replay.next_offsets)
        async with log_reader.opened(
            replay.topic, bootstrap=self._bootstrap, client_id=f"{self._runner}-replay"
        ) as reader:
            # What the log does not hold is never waited for: it would hold up the next replay.
            async for record in reader.read(within_log(replay.left, await reader.extent())):
                self._put(chunk, replay, record)
                offsets[record.partition] = record.offset + 1
                if len(chunk.records) >= size or chunk.full:
                    await self._flush(replay.moved(list(offsets)), chunk)
                    chunk = Chunk()
                if self._stopping.is_set():
                    return  # what was not flushed is read again
        # Gaps at the end of a partition are behind us, too.
        await self._flush(replay.moved(list(replay.until_offsets)), chunk)
        if not self._stopping.is_set():
            async with self._database.transaction() as tx:
                await replay_rows.finish(tx, replay)
            self._log.info("replay done", id=str(replay.id))

    def _put(self, chunk: Chunk, replay: Replay, record: LogRecord) -> None:
        if not matches(record, keys=replay.keys, types=replay.types):
            chunk.passed += 1
            return
        encoded = again(
            record,
            replay_id=replay.id,
            types=self._catalog.topics[replay.topic].messages,
            bytes_max=self._message_bytes_max,
        )
        if encoded is None:
            chunk.skipped += 1
        else:
            chunk.records.append(encoded)

    async def _flush(self, replay: Replay, chunk: Chunk) -> None:
        """The chunk's rows have left the outbox, and its share of the time is over."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + len(chunk.records) / replay.per_s
        async with self._database.transaction() as tx:
            await self._advance(tx, replay, chunk)
        self._metrics.sent.inc(len(chunk.records))
        outbox_id, touch_at_s = tx.outbox_id_max, loop.time() + TOUCH_MS / 1000
        while not self._stopping.is_set():
            if loop.time() >= until_s and await self._has_left(outbox_id):
                return
            if loop.time() >= touch_at_s:
                touch_at_s = loop.time() + TOUCH_MS / 1000
                await self._touch(replay)
            await within(self._stopping, LOOK_MS)

    async def _advance(self, tx: Transaction, replay: Replay, chunk: Chunk) -> None:
        moved = await replay_rows.advance(
            tx, replay, sent=len(chunk.records), passed=chunk.passed, skipped=chunk.skipped
        )
        if not moved:
            raise ReplayLost(id=replay.id)
        tx.publish(*chunk.records)

    async def _touch(self, replay: Replay) -> None:
        async with self._database.transaction() as tx:
            if not await replay_rows.touch(tx, replay, problem=None):
                raise ReplayLost(id=replay.id)

    async def _has_left(self, outbox_id: int | None) -> bool:
        """Whether the outbox rows up to this one are published, or quarantined."""
        if outbox_id is None:
            return True
        async with self._database.reading() as tx:
            lowest = await lowest_waiting(tx)
        return lowest is None or lowest > outbox_id

    def _note(self, error: Exception) -> None:
        name = type(error).__name__
        self._metrics.errors.labels(name).inc()
        if passing(error):
            self._log.warning("replay interrupted", error=name, reason=str(error))
        else:
            self._log.exception("replay failed", error=name, exc_info=error)

    async def _wake_at_stop(self) -> None:
        await self._stopping.wait()
        self.wake()
