"""The consumer: sessions with Kafka, one after another, for as long as the service runs."""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.client_end import close_consumer
from sagaline.chassis.database import Database
from sagaline.chassis.deadline import within
from sagaline.chassis.faults import passing
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.positions import Partition
from sagaline.chassis.schema_wait import SchemaWait
from sagaline.chassis.session import Limits, Session
from sagaline.chassis.watch import Stuck

# Without records a fetch is answered so late at most, and so is whatever is asked behind it on its
# connection: a look at the lag, and where partitions move between processes, a claim.
FETCH_WAIT_MS = 1_000

CLOSE_MS = 5_000  # a broker that hangs can't hold up a shutdown


class Consumer:
    """Reads a service's topics into its inbox, through outages of Kafka and of the database.

    `process` tells this one apart from the service's others. A `static` member of the group keeps
    its partitions over a restart within the session timeout; any other leaves them to the rest at
    once when it ends, and is a new member when it starts again.
    """

    def __init__(
        self,
        inbox: Inbox,
        database: Database,
        *,
        bootstrap: str,
        group: str,
        process: str,
        static: bool,
        topics: Collection[str],
        command_topics: Collection[str],
        session_timeout_ms: int,
        limits: Limits,
        schema_wait: SchemaWait,
        log: FilteringBoundLogger,
    ) -> None:
        self._inbox = inbox
        self._database = database
        self._bootstrap = bootstrap
        self._group = group
        self._process = process
        self._static = static
        self._topics = sorted(topics)
        self._command_topics = command_topics
        self._session_timeout_ms = session_timeout_ms
        self._limits = limits
        self._schema_wait = schema_wait
        self._log = log
        self._session: Session | None = None
        self._problem: str | None = "not connected to Kafka yet"

    @property
    def problem(self) -> str | None:
        """What keeps records from being handled now, if anything."""
        return self._session.problem if self._session else self._problem

    @property
    def healthy(self) -> bool:
        """True while records are handled as they come."""
        return self.problem is None

    @property
    def lag(self) -> Mapping[Partition, int]:
        """Records in the log that are not handled yet, by partition, as last measured."""
        return self._session.lag if self._session else {}

    @property
    def held(self) -> Collection[Partition]:
        """The partitions that this process handles the records of."""
        return self._session.held if self._session else ()

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping`; an error that doesn't pass goes up, and ends the service."""
        backoff_ms = self._limits.backoff_ms
        while not stopping.is_set():
            try:
                await self._consume(stopping)
                backoff_ms = self._limits.backoff_ms
            except* Exception as errors:
                unexpected = errors.split(lambda error: passing(error) or isinstance(error, Stuck))
                if unexpected[1] is not None:
                    raise
                self._problem = "; ".join(repr(error) for error in errors.exceptions)
            if not stopping.is_set():
                self._log.warning("new session", problem=self._problem, backoff_ms=backoff_ms)
                await within(stopping, backoff_ms)
                backoff_ms = min(2 * backoff_ms, self._limits.backoff_max_ms)

    async def _consume(self, stopping: asyncio.Event) -> None:
        kafka = self._kafka()
        try:
            await kafka.start()
            self._session = Session(
                kafka,
                self._inbox,
                self._database,
                command_topics=self._command_topics,
                owner=self._process,
                limits=self._limits,
                schema_wait=self._schema_wait,
                log=self._log,
            )
            kafka.subscribe(self._topics, listener=self._session)
            await _until(stopping, self._session)
        finally:
            self._session = None
            await close_consumer(kafka, within_ms=CLOSE_MS)

    def _kafka(self) -> AIOKafkaConsumer:
        heartbeat_ms = self._limits.heartbeat_ms
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._process,
            group_id=self._group,
            group_instance_id=self._process if self._static else None,
            # Only what a partition without a row starts from; after that the rows say it.
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            # An order's topics have one partition count, and range gives one process the same
            # partition of each.
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=heartbeat_ms,
            max_poll_interval_ms=60_000,
            rebalance_timeout_ms=self._limits.revoke_timeout_ms + heartbeat_ms,
            request_timeout_ms=20_000,
            retry_backoff_ms=100,
            metadata_max_age_ms=5_000,  # a topic made after us is found this late
            fetch_max_wait_ms=min(FETCH_WAIT_MS, self._limits.watch_interval_ms // 2),
            fetch_min_bytes=1,
            max_partition_fetch_bytes=1_048_576,
            isolation_level="read_uncommitted",  # no transactions stand in these logs
            check_crcs=True,
        )


async def _until(stopping: asyncio.Event, session: Session) -> None:
    """Run the session until `stopping`, then leave its partitions cleanly."""
    running = asyncio.create_task(session.run())
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        await session.close()  # also after an error: the process lives, so this end is a clean one
        if running.done():
            await running
    finally:
        running.cancel()
        stopped.cancel()
        await asyncio.gather(running, stopped, return_exceptions=True)
