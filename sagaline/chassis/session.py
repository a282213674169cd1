"""One life of a Kafka consumer: fetch, claim, handle in batches, commit what is answered.

See docs/architecture.md, "Consumer". Three loops run side by side: polling never waits for the
database, handling never waits for the broker, and offsets follow the outbox. `consumer` starts a
new session whenever one ends with an error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import offsets, positions
from sagaline.chassis.batch import Cursors, Raw, Waiting
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PositionLost
from sagaline.chassis.faults import passing
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.offsets import Offsets
from sagaline.chassis.positions import Fenced, Partition


class Stuck(Exception):
    """Records wait in the log, and the consumer fetches none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a session; the settings of the same names say more."""

    batch_rows_max: int
    queue_records_max: int
    backoff_ms: int
    backoff_max_ms: int
    heartbeat_ms: int
    commit_interval_ms: int
    watch_interval_ms: int
    revoke_timeout_ms: int


class Session(ConsumerRebalanceListener):
    """Consumes with one AIOKafkaConsumer until it fails or is cancelled."""

    def __init__(
        self,
        kafka: AIOKafkaConsumer,
        inbox: Inbox,
        database: Database,
        *,
        command_topics: Collection[str],
        owner: str,
        limits: Limits,
        log: FilteringBoundLogger,
    ) -> None:
        self.problem: str | None = "no partition is assigned yet"
        self.lag: Mapping[Partition, int] = {}
        self._kafka = kafka
        self._inbox = inbox
        self._database = database
        self._owner = owner
        self._limits = limits
        self._log = log
        self._waiting = Waiting(command_topics)
        self._offsets = Offsets()
        self._cursors = Cursors(passed=self._offsets.handled)
        self._fetched: dict[Partition, int] = {}  # the next offset that polling expects
        self._unclaimed: set[Partition] = set()
        self._lost: dict[Partition, PositionLost] = {}
        self._in_hand = asyncio.Lock()
        self._work = asyncio.Event()
        self._revoking = asyncio.Event()

    async def run(self) -> NoReturn:
        """Consume; ends only by an error or by being cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll())
            tasks.create_task(self._handle())
            tasks.create_task(self._commit())
            tasks.create_task(self._watch())
        raise AssertionError("the loops of a session don't return")

    async def close(self) -> None:
        """What was answered is committed, and the partitions are left without an owner."""
        await self.on_partitions_revoked(())

    # Rebalancing: aiokafka awaits these two inside its coordination task, which must not be held
    # up by an outage of the database; so claims are made by the handling loop.

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Let the batch in hand end, commit what is answered, release all that was held."""
        self._revoking.set()
        self._unclaimed = set()
        self._lost.clear()
        try:
            async with asyncio.timeout(self._limits.revoke_timeout_ms / 1000), self._in_hand:
                await self._commit_answered()
                await self._release()
        except TimeoutError:
            self._log.warning("revoked with a batch in hand", partitions=len(self._fetched))
        except Exception as error:  # noqa: BLE001  # an unclean release is safe: the fence
            self._log.warning("release failed", error=repr(error))
        finally:
            self._forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold the new partitions back until the handling loop has claimed them."""
        partitions = {(each.topic, each.partition) for each in assigned}
        self._log.info("partitions assigned", partitions=len(partitions))
        self._revoking.clear()
        self._forget()
        self._unclaimed = partitions
        if not partitions:
            self.problem = None  # other processes have them all
        self._work.set()

    def _forget(self) -> None:
        self._waiting.drop()
        self._cursors.drop()
        self._offsets.clear()
        self._fetched.clear()

    async def _release(self) -> None:
        epochs = dict(self._cursors.epochs)
        if epochs:
            async with self._database.transaction() as tx:
                await positions.release(tx, epochs)

    # Polling

    async def _poll(self) -> NoReturn:
        while True:
            room = self._limits.queue_records_max - len(self._waiting)
            self._throttle(room)
            found = await self._kafka.getmany(timeout_ms=200, max_records=max(room, 1))
            expected = dict(self._fetched)
            for each, records in found.items():
                partition = _of(each)
                if records[0].offset > expected.get(partition, records[0].offset):
                    await self._check_gap(each, expected[partition])
                # Unless it was claimed anew during the check: then all this is fetched again.
                if self._fetched.get(partition) == expected.get(partition):
                    self._add(partition, records)

    async def _check_gap(self, each: TopicPartition, position: int) -> None:
        """A gap is normal, but not where the log begins behind it: that was deleted unread."""
        begins = await self._kafka.beginning_offsets([each])
        if begins[each] > position and self._fetched.get(_of(each)) == position:
            ends = await self._kafka.end_offsets([each])
            self._lose(each, position, begins[each], ends[each])

    def _throttle(self, room: int) -> None:
        """Pause fetching while too much waits; polling itself goes on, or Kafka gives us up."""
        paused = {each for each in self._kafka.paused() if _of(each) not in self._lost}
        if room <= 0 and not paused:
            self._kafka.pause(*self._kafka.assignment())
        elif paused and room > self._limits.queue_records_max // 2:
            self._kafka.resume(*paused)

    def _add(self, partition: Partition, records: "list[ConsumerRecord[bytes, bytes]]") -> None:
        """Queue what is new. Fetches from before a seek are passed over: they come again."""
        expected = self._fetched.get(partition)
        fresh = [record for record in records if expected is not None and record.offset >= expected]
        if not fresh:
            return
        self._waiting.add(partition, map(_raw, fresh))
        self._fetched[partition] = fresh[-1].offset + 1
        self._work.set()

    # Handling

    async def _handle(self) -> NoReturn:
        while True:
            await self._work.wait()
            async with self._in_hand:
                if self._unclaimed:
                    await self._patiently(self._claim)
                batch = self._waiting.take(self._limits.batch_rows_max)
                if batch:
                    await self._finish(batch)
                elif not self._unclaimed:
                    self._work.clear()

    async def _finish(self, batch: list[Raw]) -> None:
        """See the batch through outages; where we were fenced, claim anew what is still ours."""

        async def handle() -> None:
            left = self._cursors.left_of(batch)
            if left:
                await self._inbox.handle(left, self._cursors)

        try:
            await self._patiently(handle)
        except Fenced as fenced:
            self._log.warning("fenced: another process claimed partitions", partitions=str(fenced))
            held = list(self._fetched)
            self._forget()
            # A zombie learns by its next heartbeat that it is out of the group.
            if not await self._revoked_within(2 * self._limits.heartbeat_ms):
                self._unclaimed = set(held)
                self._work.set()

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` until it is done, waiting out errors that pass; a rebalance ends the wait."""
        backoff_ms = self._limits.backoff_ms
        while not self._revoking.is_set():
            try:
                await work()
                self.problem = self._lost_partitions()
                return
            except Exception as error:  # told apart below
                if not passing(error):
                    raise
                self.problem = repr(error)
                self._log.warning("waits", error=repr(error), backoff_ms=backoff_ms)
            await self._revoked_within(backoff_ms)
            backoff_ms = min(2 * backoff_ms, self._limits.backoff_max_ms)

    async def _revoked_within(self, wait_ms: int) -> bool:
        try:
            async with asyncio.timeout(wait_ms / 1000):
                return await self._revoking.wait()
        except TimeoutError:
            return False

    async def _claim(self) -> None:
        """Every unclaimed partition that Kafka still gives us is ours, from its row's position."""
        unclaimed = self._unclaimed
        wanted = sorted(unclaimed & {_of(each) for each in self._kafka.assignment()})
        topic_partitions = [TopicPartition(*partition) for partition in wanted]
        begins = await self._kafka.beginning_offsets(topic_partitions)
        ends = await self._kafka.end_offsets(topic_partitions)
        async with self._database.transaction() as tx:
            starts = {_of(each): offset for each, offset in begins.items()}
            claimed = await positions.claim(tx, starts, owner=self._owner)
            waiting = await offsets.highest_waiting(tx)
        if self._unclaimed is not unclaimed:
            return  # a rebalance came in between: what is ours by now is claimed anew
        self._cursors.set(claimed)
        for each in topic_partitions:
            self._begin_at(each, claimed[_of(each)].next_offset, begins[each], ends[each])
        # Rows of earlier batches may wait: what they answer is committed when they are gone.
        held = [
            each for each in self._cursors.held() if (each.topic, each.partition) in self._fetched
        ]
        self._offsets.handled(held, waiting)
        self._unclaimed = set()

    def _begin_at(self, each: TopicPartition, position: int, begin: int, end: int) -> None:
        if begin <= position <= end:
            self._kafka.seek(each, position)
            self._fetched[_of(each)] = position
        else:
            self._lose(each, position, begin, end)

    def _lose(self, each: TopicPartition, position: int, begin: int, end: int) -> None:
        """Hold the partition: what its position points at is not in the log."""
        self._kafka.pause(each)
        self._fetched.pop(_of(each), None)
        lost = PositionLost(
            topic=each.topic, partition=each.partition, position=position, begin=begin, end=end
        )
        self._lost[_of(each)] = lost
        self.problem = self._lost_partitions()
        self._log.error("position lost", error=str(lost))

    def _lost_partitions(self) -> str | None:
        return "; ".join(str(lost) for lost in self._lost.values()) or None

    # Offsets and supervision

    async def _commit(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._limits.commit_interval_ms / 1000)
            try:
                await self._commit_answered()
            except Exception as error:  # told apart here
                if not passing(error):
                    raise
                self._log.debug("offsets not committed", error=repr(error))

    async def _commit_answered(self) -> None:
        if not self._offsets:
            return
        newest = self._offsets.newest
        async with self._database.transaction() as tx:
            lowest = await offsets.lowest_waiting(tx)
        due = self._offsets.answered(lowest, newest=newest)
        if due:
            await self._kafka.commit({TopicPartition(*p): offset for p, offset in due.items()})
            self._offsets.committed(due)

    async def _watch(self) -> NoReturn:
        """Measure the lag; raise Stuck when records wait and fetching stands still."""
        before: dict[Partition, int] = {}
        away: str | None = None
        while True:
            await asyncio.sleep(self._limits.watch_interval_ms / 1000)
            fetched = dict(self._fetched)
            places = [TopicPartition(*partition) for partition in fetched]
            try:
                async with asyncio.timeout(self._limits.watch_interval_ms / 1000):
                    begins = await self._kafka.beginning_offsets(places)
                    ends = await self._kafka.end_offsets(places)
            except (KafkaError, TimeoutError) as error:
                # Fetching waits in silence for a broker that is away.
                self.problem = away = f"Kafka does not answer: {error!r}"
                self._log.warning("lag unknown", error=repr(error))
                continue
            if away is not None and self.problem == away:
                self.problem = self._lost_partitions()
            away = None
            for each in places:  # a log that shrank: made anew, or of another cluster
                position = fetched[_of(each)]
                if position > ends[each] and self._fetched.get(_of(each)) == position:
                    self._lose(each, position, begins[each], ends[each])
            self.lag = {
                _of(each): end - self._cursors.expected.get(_of(each), end)
                for each, end in ends.items()
            }
            behind = {_of(each) for each, end in ends.items() if end > fetched[_of(each)]}
            paused = {_of(each) for each in self._kafka.paused()}
            if still := [p for p in behind - paused if before.get(p) == fetched[p]]:
                raise Stuck(still)
            before = {partition: fetched[partition] for partition in behind - paused}


def _of(each: TopicPartition) -> Partition:
    return (each.topic, each.partition)


def _raw(record: "ConsumerRecord[bytes, bytes]") -> Raw:
    return Raw(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        tuple(record.headers),
        record.value,
    )
