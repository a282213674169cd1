"""Those who wait for an order to change, in this process, and the looks at the database for them.

See docs/architecture.md, "Read models". Nobody asks for himself: all whose turn it is are looked up
by one statement. A turn comes at once for who knows nothing of the order yet; soon, and then ever
later, when the log says that there is something that another process shows; and once a second
whatever happens, so that nobody depends on having been told. What this process has just committed
needs no look.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Final, TypeAlias
from uuid import UUID

from structlog.typing import FilteringBoundLogger

from gateway_service import domain, repository
from gateway_service.news import News
from gateway_service.settings import GatewaySettings
from gateway_service.watching_metrics import WatchingMetrics
from sagaline.chassis.database import Database
from sagaline.chassis.deadline import within
from sagaline.chassis.faults import passing
from sagaline.chassis.running import Part, Running

SOON_S: Final = 0.01  # after the log's word: the other process is committing it meanwhile
LATE_S: Final = 1.0
NEVER_S: Final = inf
NOTHING: Final = -1  # before every sequence

Enough: TypeAlias = Callable[[domain.View | None], bool]


@dataclass(slots=True, eq=False)
class _Watch:
    """One who waits for `order_id`, until a view is `enough`. Its next look is at `due_s`.

    `known` is the order as it was last seen; None before that.
    """

    order_id: UUID
    enough: Enough
    known: domain.PlacedOrder | None
    answer: asyncio.Future[domain.PlacedOrder | None]
    due_s: float = NEVER_S
    pause_s: float = LATE_S  # between the next look and the one after it

    @property
    def seen(self) -> int:
        """The sequence that is known; an order of which nothing is known has a higher one."""
        return NOTHING if self.known is None else self.known.sequence


class Watching:
    """Waits for orders. `run` looks until it is told to stop; then nobody waits any more."""

    def __init__(
        self,
        database: Database,
        *,
        waiting_max: int,
        metrics: WatchingMetrics,
        log: FilteringBoundLogger,
        clock_s: Callable[[], float],
    ) -> None:
        self._database = database
        self._waiting_max = waiting_max
        self._metrics = metrics
        self._log = log
        self._clock_s = clock_s
        self._watches: dict[str, list[_Watch]] = {}  # by order id, as records' keys have it
        self._count = 0
        self._turns: list[tuple[float, int, _Watch]] = []  # a heap; a watch's newest entry counts
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        self._begun = asyncio.Event()
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._count

    @property
    def has_room(self) -> bool:
        """Whether one more may wait; where not, the answer comes without waiting."""
        return not self._closed and self._count < self._waiting_max

    @property
    def closed(self) -> bool:
        """Whether the service is stopping."""
        return self._closed

    async def until(
        self,
        order_id: UUID,
        enough: Enough,
        *,
        known: domain.PlacedOrder | None,
        wait_s: float,
        gone: Coroutine[object, object, None],
    ) -> domain.PlacedOrder | None:
        """Wait for a view that is enough, and give the order with it.

        None: it is not so after `wait_s`, the service stops, there is no such order, or `gone` has
        ended: that who asked is gone. The caller has made sure that there is room. `known` is the
        order if nothing more of it can have been shown; else there is a look now.
        """
        loop = asyncio.get_running_loop()
        watch = _Watch(order_id, enough, known, loop.create_future())
        late = loop.call_later(wait_s, _answer, watch, None)
        leaving = asyncio.create_task(gone)
        leaving.add_done_callback(lambda _: _answer(watch, None))
        self._add(watch)
        self._turn(watch, after_s=LATE_S if known else 0.0)
        try:
            return await watch.answer
        finally:
            late.cancel()
            leaving.cancel()
            self._remove(watch)

    def shown(self, views: Sequence[domain.View]) -> None:
        """This process has committed these views: whoever has enough of one is answered."""
        for view in views:
            for watch in self._watches.get(str(view.order_id), ()):
                self._seen(watch, view)

    def _seen(self, watch: _Watch, view: domain.View) -> None:
        if watch.known is not None:
            watch.known = replace(watch.known, view=view)
            if watch.enough(view):
                _answer(watch, watch.known)
        elif watch.enough(view):
            self._turn(watch, after_s=0.0)

    def heard_of(self, keys: Collection[str]) -> None:
        """There is something new of these orders in the log, and another process will show it."""
        for key in keys:
            for watch in self._watches.get(key, ()):
                self._turn(watch, after_s=SOON_S, pause_s=SOON_S)

    def anything_may_have_happened(self) -> None:
        """Records were missed: everybody gets a look."""
        for watch in itertools.chain.from_iterable(self._watches.values()):
            self._turn(watch, after_s=0.0, pause_s=SOON_S)

    @property
    def begun(self) -> asyncio.Event:
        """Set while somebody waits."""
        return self._begun

    async def run(self, stopping: asyncio.Event) -> None:
        """Look, until `stopping` is set; by then everybody has an answer."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_on())
            await stopping.wait()
            self._close()

    def _close(self) -> None:
        self._closed = True
        for watch in itertools.chain.from_iterable(self._watches.values()):
            _answer(watch, None)
        self._changed.set()

    def _add(self, watch: _Watch) -> None:
        self._watches.setdefault(str(watch.order_id), []).append(watch)
        self._counted(+1)

    def _remove(self, watch: _Watch) -> None:
        others = self._watches[str(watch.order_id)]
        others.remove(watch)
        if not others:
            del self._watches[str(watch.order_id)]
        self._counted(-1)

    def _counted(self, more: int) -> None:
        self._count += more
        self._metrics.waiting.set(self._count)
        if self._count:
            self._begun.set()
        else:
            self._begun.clear()

    def _turn(self, watch: _Watch, *, after_s: float, pause_s: float = LATE_S) -> None:
        watch.due_s, watch.pause_s = self._clock_s() + after_s, pause_s
        heapq.heappush(self._turns, (watch.due_s, next(self._numbers), watch))
        if self._turns[0][2] is watch:
            self._changed.set()

    async def _look_on(self) -> None:
        while not self._closed:
            await self._next_turn()
            due = self._due()
            if due:
                await self._look(due)

    async def _next_turn(self) -> None:
        if not self._turns:
            await self._changed.wait()
        elif (left_s := self._turns[0][0] - self._clock_s()) > 0:
            await within(self._changed, ceil(left_s * 1000))
        self._changed.clear()

    def _due(self) -> list[_Watch]:
        now_s = self._clock_s()
        due: list[_Watch] = []
        while self._turns and self._turns[0][0] <= now_s:
            due_s, _, watch = heapq.heappop(self._turns)
            if watch.due_s == due_s and not watch.answer.done():
                watch.due_s = NEVER_S
                due.append(watch)
        return due

    async def _look(self, due: Sequence[_Watch]) -> None:
        """Those whose order is as they wait for it have it; the others get another turn."""
        try:
            async with self._database.reading() as tx:
                found = await repository.newer_orders(tx, _seen_of(due))
        except Exception as error:  # the top of a loop: they wait on, and ask again
            if not passing(error):
                raise
            self._metrics.failures.inc()
            self._log.warning("orders not looked up", orders=len(due), reason=repr(error))
            found = None
        self._metrics.looks.observe(len(due))
        for watch in due:
            self._told(watch, found)

    def _told(self, watch: _Watch, found: dict[UUID, domain.PlacedOrder] | None) -> None:
        if found is not None:
            watch.known = found.get(watch.order_id, watch.known)
        if found is not None and (watch.known is None or watch.enough(watch.known.view)):
            _answer(watch, watch.known)
        elif watch.due_s == NEVER_S:  # else it got a turn meanwhile
            pause_s = min(watch.pause_s, LATE_S)
            self._turn(watch, after_s=pause_s, pause_s=2 * pause_s)


def _seen_of(watches: Iterable[_Watch]) -> dict[UUID, int]:
    """What is known of each order by who knows least."""
    seen: dict[UUID, int] = {}
    for watch in watches:
        seen[watch.order_id] = min(watch.seen, seen.get(watch.order_id, watch.seen))
    return seen


def _answer(watch: _Watch, placed: domain.PlacedOrder | None) -> None:
    if not watch.answer.done():
        watch.answer.set_result(placed)


def opened(news: News) -> Part:
    """The service's watching, told by `news` what this process shows; at its end nobody waits."""

    @asynccontextmanager
    async def watching(running: Running) -> AsyncIterator[Watching]:
        settings = running.settings
        assert isinstance(settings, GatewaySettings), settings
        watching = Watching(
            running.database,
            waiting_max=settings.waiting_max,
            metrics=WatchingMetrics(running.metrics),
            log=running.log.bind(part="watching"),
            clock_s=asyncio.get_running_loop().time,
        )
        running.background.start("watching", watching.run(running.stopping))
        with news.heard_by(watching.shown):
            yield watching
        await running.background.end("watching", within_ms=settings.shutdown_grace_ms)

    return watching
