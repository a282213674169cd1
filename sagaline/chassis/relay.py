"""The relay: outbox to Kafka, at least once; of a service's processes one drains at a time.

See docs/architecture.md, "Relay". It is woken by this process's commits, and those of the others
whose turn it isn't; a poll finds what a crash left.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.deadline import within
from sagaline.chassis.drainer import Drainer, RelayLimits
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.lane import Lane, LaneLost
from sagaline.chassis.outbox import Outbox
from sagaline.chassis.producer import Producer
from sagaline.chassis.relay_metrics import RelayMetrics

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

__all__ = ["Relay", "RelayLimits"]


class Relay:
    """Publishes a database's outbox while `run` runs, or waits until it is its turn.

    `owner` names this process to people.
    """

    def __init__(
        self,
        *,
        database_url: str,
        bootstrap: str,
        outbox: Outbox,
        owner: str,
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        limits: RelayLimits,
        spans: "Spans | None" = None,
    ) -> None:
        self._spans = spans
        self._bootstrap = bootstrap
        self._outbox = outbox
        self._owner = owner
        self._metrics = RelayMetrics(registry, clock=clock)
        self._log = log
        self._clock = clock
        self._limits = limits
        self._lane = Lane(
            database_url,
            number=0,
            owner=owner,
            idle_session_timeout_ms=limits.idle_session_timeout_ms,
            fresh=outbox.fresh,
            told=self.wake,
        )
        self._awake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._errors_in_row = 0
        self._problem: str | None = "the relay has not started"

    @property
    def healthy(self) -> bool:
        """The outbox is being drained, by us or by another process."""
        return self._problem is None

    @property
    def problem(self) -> str | None:
        """What keeps the outbox from being drained now, for people."""
        return self._problem

    @property
    def backend_pid(self) -> int | None:
        """The process, at the server, of the session that drains or waits for its turn."""
        return self._lane.backend_pid

    def wake(self) -> None:
        """Look at the outbox now: rows were committed."""
        self._awake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Drain the outbox until `stopping`, whatever fails; then finish and give up the lane."""
        self._stopping = stopping
        drainer = self._new_drainer()
        waker = asyncio.create_task(self._wake_at_stop())
        try:
            while not stopping.is_set():
                try:
                    await self._take_turn(drainer)
                except Exception as error:  # noqa: BLE001 - the top of the loop; logged, counted
                    self._note(error)
                    await drainer.discard_producer()
                    if isinstance(error, LaneLost):
                        await self._lane.release()
                        drainer = self._new_drainer()
        finally:
            waker.cancel()
            await drainer.discard_producer()
            await self._lane.release()
            self._metrics.holds_lane.set(0)

    async def _take_turn(self, drainer: Drainer) -> None:
        """Drain while we have the lane, or wait a moment for it; after errors, a while before."""
        if self._errors_in_row:
            pause_ms = self._limits.backoff_first_ms * 2 ** min(self._errors_in_row - 1, 16)
            await self._pause(drainer, min(pause_ms, self._limits.backoff_max_ms))
        had_it = self._lane.taken
        if not await self._lane.try_take():
            self._metrics.backlog(rows=0, quarantined=0, waits_since=None)
            self._well()
            await self._tell_others()
            return
        if not had_it:
            self._log.info("relay_took_lane", owner=self._owner)
            self._metrics.holds_lane.set(1)
        await self._drain(drainer)

    async def _drain(self, drainer: Drainer) -> None:
        await drainer.look()  # what waits is to be seen also where no round begins, without Kafka
        await drainer.ready()
        # The session must not look idle to the server between two polls.
        most_ms = min(self._limits.poll_max_ms, self._limits.idle_session_timeout_ms // 3)
        idle_ms = self._limits.poll_min_ms
        while not self._stopping.is_set():
            # What was acked is gone after the next look only, and others may wait for that.
            idle_ms = self._limits.poll_min_ms if await drainer.drain_once() else 2 * idle_ms
            idle_ms = min(idle_ms, most_ms)
            self._well()
            await drainer.look()
            if not drainer.leftover:
                await within(self._awake, idle_ms)
            self._awake.clear()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._limits.drain_ms / 1000
        while loop.time() < until_s and await drainer.drain_once():
            pass

    def _new_drainer(self) -> Drainer:
        """A drainer without prejudice about any row."""
        self._metrics.holds_lane.set(0)
        return Drainer(
            self._lane,
            new_producer=lambda: Producer(
                self._bootstrap, client_id=self._owner, limits=self._limits.producer
            ),
            outbox=self._outbox,
            metrics=self._metrics,
            spans=self._spans,
            log=self._log,
            clock=self._clock,
            limits=self._limits,
            stopping=self._stopping,
        )

    def _well(self) -> None:
        self._problem = None
        self._errors_in_row = 0

    def _note(self, error: Exception) -> None:
        name = type(error).__name__
        self._problem = str(error)
        self._errors_in_row += 1
        self._metrics.errors.labels(name).inc()
        if isinstance(error, PlatformError | KafkaError | OSError):
            self._log.warning("relay_interrupted", error=name, reason=str(error))
        else:
            self._log.exception("relay_failed", error=name, exc_info=error)

    async def _pause(self, drainer: Drainer, pause_ms: int) -> None:
        """Wait, the session kept, but not beyond a stop."""
        await drainer.holding(within(self._stopping, pause_ms))

    async def _tell_others(self) -> None:
        """Wait to try for the lane again; who has it hears meanwhile that we committed rows."""
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + self._limits.lock_poll_ms / 1000
        while not self._stopping.is_set() and (left_s := until_s - now_s()) > 0:
            if await within(self._awake, ceil(left_s * 1000)) and not self._stopping.is_set():
                self._awake.clear()
                await self._lane.tell()

    async def _wake_at_stop(self) -> None:
        await self._stopping.wait()
        self.wake()
