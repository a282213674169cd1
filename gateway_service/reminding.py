"""Reminding: an accepted order of which no saga event comes is sent to the orchestrator again.

See docs/architecture.md, "Retention". A topic that was lost, an outbox that was restored from
before the order, a message that was dropped by hand: none of it may lose an accepted order in
silence. The message has its old id, and the saga of an order is one, so sending it in vain changes
nothing. What stays unheard of after some times is given up, and shown: a person has to look.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge
from structlog.typing import FilteringBoundLogger

from gateway_service import reminders
from gateway_service.placing import place_order
from gateway_service.settings import GatewaySettings
from sagaline.chassis.database import Database
from sagaline.chassis.deadline import within
from sagaline.chassis.faults import passing
from sagaline.chassis.running import Running

ORDERS_MAX = 500  # of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When an order is sent again, and how often; settings of the same names say more."""

    after: timedelta
    within: timedelta
    interval_ms: int
    times_max: int


class Reminding:
    """Looks again and again at orders without a saga event. Knows up to where all were heard of."""

    def __init__(
        self,
        database: Database,
        *,
        terms: Terms,
        clock: Callable[[], datetime],
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
    ) -> None:
        self._database = database
        self._terms = terms
        self._clock = clock
        self._log = log
        self._since: datetime | None = None
        self._sent = Counter(
            "sagaline_orders_sent_again_total",
            "Orders that were sent to the orchestrator again: no saga event had come.",
            registry=registry,
        )
        self._given_up = Gauge(
            "sagaline_orders_given_up",
            "Orders of which no saga event came though they were sent again and again.",
            registry=registry,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until `stopping`."""
        while not await within(stopping, self._terms.interval_ms):
            try:
                while await self.look() == ORDERS_MAX:
                    pass
            except Exception as error:  # the top of the loop
                if not passing(error):
                    raise
                self._log.warning("orders not looked at", reason=repr(error))

    async def look(self) -> int:
        """Send again what is due; say how many orders that were."""
        now = self._clock()
        until = now - self._terms.after
        since = max(self._since or now - self._terms.within, now - self._terms.within)
        async with self._database.transaction() as tx:
            due = await reminders.due(
                tx,
                since=since,
                until=until,
                now=now,
                times_max=self._terms.times_max,
                pause=self._terms.after,
                limit=ORDERS_MAX,
            )
            counted = await reminders.reminded(tx, due, now) if due else set()
            orders = [each.order for each in due if each.order.order_id in counted]
            tx.publish(*(place_order(o.order_id, o.order, o.placed_at) for o in orders))
        if orders:
            self._sent.inc(len(orders))
            self._log.warning("orders sent again", orders=len(orders), first=orders[0].order_id)
        await self._note(since, until)
        return len(due)

    async def _note(self, since: datetime, until: datetime) -> None:
        async with self._database.reading() as tx:
            oldest, given_up = await reminders.standing(
                tx, since=since, until=until, times_max=self._terms.times_max
            )
        self._since = oldest or until
        self._given_up.set(given_up)
        if given_up:
            self._log.error("no saga event comes", orders=given_up, oldest_placed_at=oldest)


@asynccontextmanager
async def opened(running: Running) -> AsyncIterator[Reminding]:
    """The service's reminding, looking for the block."""
    settings = running.settings
    assert isinstance(settings, GatewaySettings), settings
    reminding = Reminding(
        running.database,
        terms=Terms(
            after=timedelta(milliseconds=settings.remind_after_ms),
            within=timedelta(milliseconds=settings.remind_within_ms),
            interval_ms=settings.remind_interval_ms,
            times_max=settings.reminders_max,
        ),
        clock=lambda: datetime.now(UTC),
        registry=running.metrics,
        log=running.log.bind(part="reminding"),
    )
    ended = asyncio.Event()
    running.background.start("reminding", reminding.run(ended))
    try:
        yield reminding
    finally:
        ended.set()
        await running.background.end("reminding", within_ms=settings.shutdown_grace_ms)
