"""A load from its preparation to the books: warm-up, the steady window, the drain, the checks."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from sagaline.local import books
from sagaline.local.client import Client
from sagaline.local.load import journey, saga_ends
from sagaline.local.load.arrivals import OpenLoop
from sagaline.local.load.connection import Connections
from sagaline.local.load.latencies import Latencies
from sagaline.local.load.orders import Orders
from sagaline.local.load.plan import Plan
from sagaline.local.load.reading import Reader
from sagaline.local.load.tally import Tally
from sagaline.local.load.window import Window, watch
from sagaline.local.run_file import RunFile

GATEWAY = "gateway_service"
KNOWN_MAX = 10_000  # of the newest orders, for those that are read
QUIET_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load came to; `problems` are wrong books and orders that ended as they shouldn't."""

    plan: Plan
    seed: int
    orders: Tally
    reads: Tally
    window: Window
    saga_ends: Latencies
    problems: Sequence[str]


def run(plan: Plan, run_file: RunFile, *, seed: int) -> Outcome:
    """Put the load on the platform that `run_file` tells of. Raises the client's errors."""
    # uvloop: the load shares the processors with what it measures.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Load(plan, run_file, seed).run())


class _Load:
    def __init__(self, plan: Plan, run_file: RunFile, seed: int) -> None:
        self._plan, self._run_file, self._seed = plan, run_file, seed
        self._rng = random.Random(seed)  # noqa: S311 - orders to measure with, no secrets
        self._stock = Orders(self._rng, declined_percent=plan.declined_percent)
        by_schedule = plan.rate is not None
        self._orders = Tally(wanted=plan.orders, by_schedule=by_schedule)
        self._reads = Tally(by_schedule=True)
        self._known: deque[str] = deque(maxlen=KNOWN_MAX)
        self._stop = asyncio.Event()
        self._gateway = Connections(run_file.urls[GATEWAY])
        self._reader = Reader(run_file)

    async def run(self) -> Outcome:
        async with Client(self._run_file.urls, self._run_file.operator_urls) as client:
            await self._stock.prepare(client)
            try:
                window = await self._under_load()
            finally:
                self._gateway.close()
                self._reader.close()
            ledger = await books.quiet(client, within_s=QUIET_WITHIN_S)
            ends = await saga_ends.of(client, self._known, rng=self._rng)
        tallies = self._orders, self._reads
        wrong = [f"{n} x {what}" for tally in tallies for what, n in tally.unexpected.items()]
        problems = [*ledger.problems, *wrong]
        return Outcome(self._plan, self._seed, *tallies, window, ends, problems)

    async def _under_load(self) -> Window:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._plan.arrivals().run(self._order, self._orders, self._stop))
            if self._plan.reads:
                reads = OpenLoop(self._plan.reads, open_max=self._plan.open_max)
                group.create_task(reads.run(self._look, self._reads, self._stop))
            await asyncio.sleep(self._plan.warm_up_s)
            window = await watch(
                self._reader,
                self._orders,
                self._reads,
                seconds=self._plan.seconds,
                full=self._orders.full,
            )
            self._stop.set()
        return window

    async def _order(self, due_s: float) -> None:
        body, expected = self._stock.next()
        counted = self._orders.begin()
        left_s = due_s + self._plan.within_s - time.monotonic()
        ending = await journey.travel(self._gateway, body, within_s=left_s)
        seconds = time.monotonic() - due_s
        self._orders.end(ending.status, expected=expected, seconds=seconds, counted=counted)
        if ending.order_id is not None:
            self._known.append(ending.order_id)

    async def _look(self, due_s: float) -> None:
        if not self._known:
            return  # the first orders are still under way
        counted = self._reads.begin()
        order_id = self._rng.choice(self._known)
        status = await journey.look(self._gateway, order_id, within_s=self._plan.within_s)
        self._reads.end(status, expected="OK", seconds=time.monotonic() - due_s, counted=counted)
