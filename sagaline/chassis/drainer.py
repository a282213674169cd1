"""A drainer: whoever holds the lane publishes the outbox, a round at a time.

See docs/architecture.md, "Relay". Within a partition nothing is sent after a row whose
fate is unknown: a round has one batch in flight for each partition and waits for all of them, and
after an error a new producer starts at the lowest row left.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from structlog.typing import FilteringBoundLogger

from sagaline.chassis.envelope import Encoded
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.fresh import Row
from sagaline.chassis.lane import Lane
from sagaline.chassis.lane_rows import Verdict
from sagaline.chassis.outbox import Outbox
from sagaline.chassis.producer import Failure, Producer, ProducerLimits, Published
from sagaline.chassis.quarantine import Quarantine, is_permanent, notice_of
from sagaline.chassis.relay_metrics import RelayMetrics

LOOK_S = 1.0  # between looks at the backlog, which keep the session; less if it times out sooner
BEHIND = "A row before it, of the same key, is quarantined."

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

T = TypeVar("T")


class PublishFailed(PlatformError):
    """Kafka did not take {rows} outbox rows: {reason}."""


class StoppedInRound(PlatformError):
    """The relay was stopped while Kafka did not answer; what was in flight may be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """Sizes and times of a relay."""

    rows_max: int = 500  # in flight at once
    poll_min_ms: int = 200
    poll_max_ms: int = 1_000
    lock_poll_ms: int = 500
    idle_session_timeout_ms: int = 3_000
    backoff_first_ms: int = 100
    backoff_max_ms: int = 2_000
    drain_ms: int = 1_000  # how long a stop goes on publishing what waits
    unpublishable_tries_max: int = 60
    unknown_topic_retry_ms: int = 500
    producer: ProducerLimits = field(default_factory=ProducerLimits)


class Drainer:
    """Publishes the rows that its lane sees."""

    def __init__(
        self,
        lane: Lane,
        *,
        new_producer: Callable[[], Producer],
        outbox: Outbox,
        metrics: RelayMetrics,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        limits: RelayLimits,
        spans: "Spans | None",
        stopping: asyncio.Event,
    ) -> None:
        self._lane = lane
        self._new_producer = new_producer
        self._outbox = outbox
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._rows_max = limits.rows_max
        self._spans = spans
        self._stopping = stopping
        self._producer: Producer | None = None
        self._quarantine = Quarantine(
            tries_max=limits.unpublishable_tries_max,
            retry_ms=limits.unknown_topic_retry_ms,
            clock=clock,
        )
        self._look_s = min(LOOK_S, limits.idle_session_timeout_ms / 3_000)
        self._looked_at_s = 0.0
        self.leftover = False  # the last round left rows that could be sent at once

    async def drain_once(self) -> int:
        """Publish the lowest rows, in id order; say how many were acked, and are to be deleted.

        Raises PublishFailed when Kafka refused or did not answer: the rows are left, the producer
        is not. Raises LaneLost when the session, and with it the lane, is gone.
        """
        held_topics = self._quarantine.held_topics()
        rows = await self._lane.visible(self._rows_max, without_topics=held_topics)
        if not held_topics:  # else there may be older ones, which only a look sees
            self._metrics.waits_since = rows[0].created_at if rows else None
        self.leftover = False
        if not rows:
            return 0
        with self._metrics.round(len(rows)):
            published = await self.holding(self._publish(rows))
            if published.acked:
                # Acked ids only: they are deleted by the next look at the lane. A crash before it
                # sends them twice, which barriers absorb.
                self._lane.acked(published.acked)
                self._metrics.published.inc(len(published.acked))
                if self._spans is not None:
                    acked = set(published.acked)
                    self._spans.sent(row for row in rows if row.id in acked)
        await self._set_aside(self._quarantine.judge(rows, published))
        await self._check(published.failures)
        self.leftover = len(rows) == self._rows_max or len(published.acked) < len(rows)
        if not (self.leftover or held_topics):
            self._metrics.waits_since = None
        return len(published.acked)

    async def ready(self) -> None:
        """Kafka was reached, so that the first row needn't wait for it."""
        await self.holding(self._ready_producer())

    async def discard_producer(self) -> None:
        """What is in flight is given up; the next round starts at the lowest row left."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.close()

    async def holding(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives; meanwhile the session is kept, and its loss ends the work."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=self._look_s)
                if not task.done():
                    await self.look()
                    if self._stopping.is_set():
                        raise StoppedInRound
            return task.result()
        finally:
            task.cancel()

    async def look(self) -> None:
        """Look at the backlog, if the lane is ours and it is time to."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_at_s >= self._look_s and self._lane.taken:
            self._looked_at_s = now_s
            backlog = await self._lane.backlog()
            self._metrics.backlog(**backlog._asdict())
            if backlog.quarantined:
                # Whoever looks for what waits need not know about keys: it is quarantined itself.
                followers = await self._lane.followers(self._rows_max)
                await self._set_aside([(row, BEHIND) for row in followers], behind=True)

    async def _publish(self, rows: list[Row]) -> Published:
        producer = await self._ready_producer()
        return await producer.publish(rows, alone=self._quarantine.alone)

    async def _ready_producer(self) -> Producer:
        if self._producer is None:
            self._producer = self._new_producer()
            await self._producer.start()
        return self._producer

    async def _set_aside(self, guilty: Sequence[tuple[Row, str]], *, behind: bool = False) -> None:
        """Quarantine these rows; notices for their sagas wait from the same transaction on."""
        if not guilty:
            return
        now = self._clock()
        verdicts = [
            Verdict(row, error, self._notice(row, error, now), behind) for row, error in guilty
        ]
        quarantined = await self._lane.quarantine(verdicts, now)
        self._metrics.quarantined.inc(len(quarantined))
        for row, error, *_ in quarantined:
            self._log.error("outbox_row_quarantined", id=row.id, topic=row.topic, error=error)

    def _notice(self, row: Row, error: str, now: datetime) -> Encoded | None:
        try:
            outgoing = notice_of(row, error)
            return None if outgoing is None else self._outbox.encode(outgoing, now)
        except PlatformError as unheard:  # its topic or envelope is not ours: nobody can be told
            self._log.warning("quarantine_notice_impossible", id=row.id, error=str(unheard))
            return None

    async def _check(self, failures: list[Failure]) -> None:
        """After a failure the producer is gone; one that may pass is raised, to wait a little."""
        if not failures:
            return
        await self.discard_producer()
        for failure in failures:
            self._metrics.errors.labels(type(failure.error).__name__).inc()
        passing = [failure for failure in failures if not is_permanent(failure)]
        if passing:
            reason = f"{type(passing[0].error).__name__}: {passing[0].error}"
            raise PublishFailed(rows=sum(len(one.rows) for one in passing), reason=reason)
