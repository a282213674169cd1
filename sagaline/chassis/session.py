"""One life of a Kafka consumer: fetch, claim, handle in batches, commit what is answered.

See docs/architecture.md, "Consumer". Its loops run side by side: polling never waits for the
database, handling never waits for the broker, offsets follow the outbox, and a watch looks whether
fetching gets on. `consumer` starts a new session whenever one ends with an error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import offsets
from sagaline.chassis.batch import Raw, Waiting
from sagaline.chassis.caution import Caution
from sagaline.chassis.database import Database
from sagaline.chassis.deadline import within
from sagaline.chassis.faults import passing
from sagaline.chassis.holding import Holding
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.offsets import Offsets
from sagaline.chassis.pace import Pace
from sagaline.chassis.polling import Polling
from sagaline.chassis.positions import Fenced, Partition
from sagaline.chassis.schema_wait import SchemaWait
from sagaline.chassis.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a session; the settings of the same names say more."""

    batch_rows_max: int
    batch_rest_max_ms: int
    queue_records_max: int
    backoff_ms: int
    backoff_max_ms: int
    heartbeat_ms: int
    commit_interval_ms: int
    watch_interval_ms: int
    revoke_timeout_ms: int
    attempts_max: int


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
        schema_wait: SchemaWait,
        log: FilteringBoundLogger,
    ) -> None:
        self._outage: str | None = "no partition is assigned yet"
        self._kafka = kafka
        self._caution = Caution(inbox, database, attempts_max=limits.attempts_max)
        self._database = database
        self._limits = limits
        self._log = log
        self._schema_wait = schema_wait
        self._waiting = Waiting(command_topics, schema_wait.holds)
        self._offsets = Offsets()
        self._holding = Holding(kafka, database, self._offsets, owner=owner, log=log)
        self._watch = Watch(kafka, self._holding, interval_ms=limits.watch_interval_ms, log=log)
        self._pace = Pace(
            rest_max_ms=limits.batch_rest_max_ms, clock_s=asyncio.get_running_loop().time
        )
        self._in_hand = asyncio.Lock()
        self._work = asyncio.Event()
        self._revoking = asyncio.Event()
        self._polling = Polling(
            kafka,
            self._holding,
            self._waiting,
            work=self._work,
            queue_records_max=limits.queue_records_max,
        )

    @property
    def problem(self) -> str | None:
        """What keeps records from being handled now, if anything."""
        lost = map(str, self._holding.lost.values())
        problems = (self._outage, self._watch.problem, self._schema_wait.problem, *lost)
        return "; ".join(filter(None, problems)) or None

    @property
    def lag(self) -> Mapping[Partition, int]:
        """Records in the log that are not handled yet, by partition, as last measured."""
        return self._watch.lag

    @property
    def held(self) -> Collection[Partition]:
        """The partitions that are claimed, and read."""
        return self._holding.fetched.keys()

    async def run(self) -> NoReturn:
        """Consume; ends only by an error or by being cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._polling.run())
            tasks.create_task(self._handle())
            tasks.create_task(self._commit())
            tasks.create_task(self._watch.run())
            tasks.create_task(self._schema_wait.run(self._work.set))
        raise AssertionError("the loops of a session don't return")

    async def close(self) -> None:
        """What was answered is committed, and the partitions are left without an owner."""
        await self.on_partitions_revoked(())

    # Rebalancing: aiokafka awaits these two inside its coordination task, which must not be held
    # up by an outage of the database; so claims are made by the handling loop.

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Let the batch in hand end, commit what is answered, release all that was held."""
        self._revoking.set()
        self._holding.cursors.leaving = True
        self._holding.unclaimed = set()
        try:
            async with asyncio.timeout(self._limits.revoke_timeout_ms / 1000), self._in_hand:
                await self._commit_answered()
                await self._holding.release()
        except TimeoutError:
            self._log.warning("revoked with a batch in hand", partitions=len(self._holding.fetched))
        except Exception as error:  # noqa: BLE001  # an unclean release is safe: the fence
            self._log.warning("release failed", error=repr(error))
        finally:
            self._forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold the new partitions back until the handling loop has claimed them."""
        partitions = set(assigned)
        self._log.info("partitions assigned", partitions=len(partitions))
        self._revoking.clear()
        self._waiting.drop()
        self._holding.assigned(partitions)
        if not partitions:
            self._outage = None  # other processes have them all
        self._work.set()

    def _forget(self) -> None:
        self._waiting.drop()
        self._holding.drop()

    # Handling

    async def _handle(self) -> NoReturn:
        while True:
            await self._work.wait()
            if len(self._waiting) < self._limits.batch_rows_max:
                await self._pace.rest()
            async with self._in_hand:
                if self._holding.unclaimed:
                    await self._patiently(self._holding.claim)
                batch = self._waiting.take(self._limits.batch_rows_max)
                if batch:
                    self._pace.began()
                    await self._finish(batch)
                    self._pace.ended(len(batch))
                elif not self._holding.unclaimed:
                    self._work.clear()

    async def _finish(self, batch: list[Raw]) -> None:
        """See the batch through outages; where we were fenced, claim anew what is still ours."""

        async def handle() -> None:
            left = self._holding.cursors.left_of(batch)
            if left:
                await self._caution.handle(left, self._holding.cursors)

        try:
            await self._patiently(handle)
        except Fenced as fenced:
            self._log.warning("fenced: another process claimed partitions", partitions=str(fenced))
            held = self._holding.fetched.keys() | self._holding.lost.keys()
            self._forget()
            # A zombie learns by its next heartbeat that it is out of the group.
            if not await within(self._revoking, 2 * self._limits.heartbeat_ms):
                # Beside what was assigned meanwhile: a batch that outlived a rebalance ends so.
                self._holding.unclaimed = self._holding.unclaimed | held
                self._work.set()

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` until it is done, waiting out errors that pass; a rebalance ends the wait."""
        backoff_ms = self._limits.backoff_ms
        while not self._revoking.is_set():
            try:
                await work()
                self._outage = None
                return
            except Exception as error:  # told apart below
                if not passing(error):
                    raise
                self._outage = repr(error)
                self._log.warning("waits", error=repr(error), backoff_ms=backoff_ms)
            await within(self._revoking, backoff_ms)
            backoff_ms = min(2 * backoff_ms, self._limits.backoff_max_ms)

    # Offsets

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
        async with self._database.reading() as tx:
            lowest = await offsets.lowest_waiting(tx)
        due = self._offsets.answered(lowest, newest=newest)
        if due:
            await self._kafka.commit({TopicPartition(*p): offset for p, offset in due.items()})
            self._offsets.committed(due)
