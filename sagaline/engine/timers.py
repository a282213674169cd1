"""Timers: sagas that wait too long are told so, once the fences of their commands allow it.

Due timers are read without a lock and examined; then their keys are locked, skipping those that
somebody works on right now, and the timers are read again. So a busy saga is never waited for.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias
from uuid import UUID

from structlog.typing import FilteringBoundLogger

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.deadline import within
from sagaline.chassis.faults import passing
from sagaline.engine import timer_rows
from sagaline.engine.broker import Broker
from sagaline.engine.codec import Plain
from sagaline.engine.fences import Fence, Fences, Verdict, fence, fence_id
from sagaline.engine.held import Held, Timer, Unknown
from sagaline.engine.inputs import Delayed, TimedOut
from sagaline.engine.runtime import Engine
from sagaline.engine.state import StepState
from sagaline.engine.store import Store

Command: TypeAlias = tuple[UUID, str]  # saga id, fence id

QUIET_S = 1.0  # between looks where no timer is near and none was set here: others may set some
UNKNOWN_AGAIN_S = 10.0  # how soon after a release is deployed the timers of its sagas go on


class Tally(Protocol):
    """What timers report of their work; the service's metrics."""

    def skipped(self, definition: str, version: int) -> None:
        """A timer fired for a saga whose definition is not here, and was put off."""


class Timers:
    """Fires due timers until stopped; several processes may run it on one database."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        database: Database,
        broker: Broker,
        *,
        catalog: Catalog,
        tick_ms: int,
        batch_keys_max: int,
        tally: Tally,
        log: FilteringBoundLogger,
    ) -> None:
        self._engine = engine
        self._store = store
        self._database = database
        self._broker = broker
        self._fences = Fences(database, broker)
        self._catalog = catalog
        self._tick_ms = tick_ms
        self._batch_keys_max = batch_keys_max
        self._tally = tally
        self._log = log
        self._unknown: set[str] = set()  # whose sagas the log has told of
        self._outage = False
        self._near = True  # a timer that stands in the database may be due before QUIET_S are over
        self._look_by_s = 0.0
        self._saves_seen = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Tick until `stopping`; an error that doesn't pass goes up, and ends the service."""
        try:
            while not stopping.is_set():
                try:
                    full = self._is_time() and await self.tick() >= self._batch_keys_max
                except Exception as error:
                    if not passing(error):
                        raise
                    # Nobody could answer in time either: see `_told`.
                    self._outage = True
                    self._log.warning("timers wait", error=repr(error))
                    await self._broker.close()
                    full = False
                if not full:
                    await within(stopping, self._tick_ms)
        finally:
            await self._broker.close()

    def _is_time(self) -> bool:
        """There may be something to see: no look is made for nothing, but once in QUIET_S."""
        now_s = asyncio.get_running_loop().time()
        changed = self._store.saves != self._saves_seen
        if not (self._near or changed or now_s >= self._look_by_s):
            return False
        self._saves_seen = self._store.saves
        self._near, self._look_by_s = True, now_s + QUIET_S
        return True

    async def tick(self) -> int:
        """Deal with the timers that are due; say how many keys had one."""
        async with self._database.reading() as tx:
            keys, self._near = await timer_rows.due_keys(
                tx, limit=self._batch_keys_max, ahead_s=QUIET_S
            )
            if not keys:
                return 0
            due = await self._store.load(tx, keys)
        examined = await self._examine(due.sagas.values(), due.now)
        async with self._database.transaction() as tx:
            locked = await self._store.lock_free(tx, keys)
            fired = [h for h in locked.sagas.values() if h.timer and h.timer.due_at <= locked.now]
            for held in fired:
                self._tell(tx, held, examined, locked.now)
            tx.publish(*await self._engine.save(tx, locked))
            timers = [(h.state, self._next(h, examined, locked.now)) for h in fired]
            await timer_rows.set_timers(tx, timers)
            if locked.unknown:
                await self._put_off(tx, locked.unknown)
        self._outage = False
        return len(keys)

    async def _put_off(self, tx: Transaction, unknown: Mapping[UUID, Unknown]) -> None:
        """Nobody here can say what is due in these sagas; nor may they fill each tick's batch."""
        keys = [each.key for each in unknown.values()]
        for saga_id in await timer_rows.postpone(tx, keys, list(unknown), by_s=UNKNOWN_AGAIN_S):
            why = unknown[saga_id].why
            self._tally.skipped(str(why.facts["name"]), int(str(why.facts["version"])))
            if str(why) not in self._unknown:
                self._unknown.add(str(why))
                self._log.error("timers skipped", saga_id=str(saga_id), reason=str(why))

    async def _examine(self, sagas: Iterable[Held], now: datetime) -> dict[Command, Fence]:
        """The fences of all steps that are overdue, each with its verdict."""
        found = {
            (held.state.saga_id, fence_id(step)): fence(held, step, self._catalog)
            for held in sagas
            for step in held.state.overdue(now)
        }
        examined = await self._fences.examine(list(found.values())) if found else []
        return dict(zip(found, examined, strict=True))

    def _tell(
        self, tx: Transaction, held: Held, examined: Mapping[Command, Fence], now: datetime
    ) -> None:
        for step in held.state.overdue(now):
            seen = examined.get((held.state.saga_id, fence_id(step)))
            if seen is not None and (received := self._told(step, seen.verdict)):
                self._engine.tell(tx, held, received, now)

    def _told(self, step: StepState, verdict: Verdict) -> TimedOut | Delayed | None:
        match verdict:
            case Verdict.WAIT:
                return None
            case Verdict.FIRE if not self._outage:
                return TimedOut(step.name, step.direction, step.generation, step.attempt)
            case Verdict.FIRE | Verdict.DELAY | Verdict.STALL:
                stalled = verdict is Verdict.STALL
                return Delayed(step.name, step.direction, step.generation, step.attempt, stalled)

    def _next(self, held: Held, examined: Mapping[Command, Fence], now: datetime) -> Timer | None:
        """When to look again: when the next step is due, or in a moment where a fence waits."""
        state = held.state
        if state.due_at is None:
            return None
        soon = now + timedelta(milliseconds=self._tick_ms)
        fences: dict[str, Plain] = {}
        for step in state.steps.values():
            seen = examined.get((state.saga_id, fence_id(step)))
            if seen is not None and step.due_at is not None:
                fences[fence_id(step)] = seen.plain()
        return Timer(max(state.due_at, soon), json.dumps(fences))
