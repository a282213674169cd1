"""A closed loop of orders: so many at a time, each request waiting for the customer's answer."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TypeVar
from uuid import UUID

import httpx

from sagaline.local.answers import NotFound, Refused
from sagaline.local.client import WAIT_MAX_S, Client, NotEnded, Unreachable
from sagaline.local.machine_cpu import MachineCpu
from sagaline.local.views import Line, NewOrder, Order

SKUS, CUSTOMERS, LINES_MAX, QUANTITY_MAX = 50, 200, 3, 3
CURRENCY = "EUR"
PLENTY = 1_000_000_000
LOOK_S = 0.01
RETRY_S = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Report:
    """What a load came to. Latency: from before the POST until an answer shows the order's end."""

    orders: int
    seconds: float
    statuses: Mapping[str, int]
    latencies_ms: Sequence[float] = field(repr=False)  # ascending
    machine: MachineCpu  # spent meanwhile, by everything on the machine
    own_cpu_s: float  # of it, spent by the loop itself

    @property
    def orders_per_s(self) -> float:
        """Completed orders a second."""
        return self.orders / self.seconds

    @property
    def cpu_ms_per_order(self) -> float:
        """Processor time of the machine, the loop's own included."""
        return self.machine.busy_s * 1000 / self.orders

    def figures(self) -> dict[str, float]:
        """Give what is worth writing down."""
        return {
            "orders": self.orders,
            "seconds": round(self.seconds, 3),
            "orders_per_s": round(self.orders_per_s, 1),
            "p50_ms": round(self.latency_ms(50), 1),
            "p95_ms": round(self.latency_ms(95), 1),
            "p99_ms": round(self.latency_ms(99), 1),
            "cpu_ms_per_order": round(self.cpu_ms_per_order, 2),
            "cpu_ms_per_order_of_load": round(self.own_cpu_s * 1000 / self.orders, 2),
            "steal_s": round(self.machine.steal_s, 2),
        }

    def latency_ms(self, percentile: int) -> float:
        """Give the latency that so many percent of the orders didn't exceed."""
        assert 0 < percentile <= 100, percentile
        return self.latencies_ms[max(0, -(-len(self.latencies_ms) * percentile // 100) - 1)]


class Load:
    """Orders that all can be met: stock and credit are prepared in plenty.

    `patience_s`: for so long an order that is refused with 503, or not answered, is posted again
    with its idempotency key; 0: never, and without a key.
    """

    def __init__(
        self,
        client: Client,
        *,
        in_flight: int,
        rng: random.Random,
        patience_s: float = 0.0,
        within_s: float = 60.0,
    ) -> None:
        assert in_flight > 0, in_flight
        self._client = client
        self._in_flight = in_flight
        self._rng = rng
        self._patience_s = patience_s
        self._within_s = within_s
        self._run = f"{rng.getrandbits(64):016x}"
        self.placed: list[UUID] = []

    async def prepare(self) -> None:
        """Every SKU and customer of the load can be served."""
        await asyncio.gather(
            *(
                self._client.set_stock(
                    f"LOAD-{n}", on_hand=PLENTY, price_minor=100 + n, currency=CURRENCY
                )
                for n in range(SKUS)
            ),
            *(
                self._client.set_account(f"load-{n}", limit_minor=1_000 * PLENTY, currency=CURRENCY)
                for n in range(CUSTOMERS)
            ),
        )

    async def run(self, orders: int) -> Report:
        """Place `orders`, `in_flight` at a time, and wait for each. Raises the client's errors."""
        numbers = iter(range(orders))
        latencies_s: list[float] = []
        statuses: Counter[str] = Counter()

        async def worker() -> None:
            for number in numbers:
                begin_s = time.monotonic()
                order = await self._one(number)
                latencies_s.append(time.monotonic() - begin_s)
                statuses[order.status] += 1

        cpu, own, begin_s = MachineCpu.now(), _own_cpu_s(), time.monotonic()
        await asyncio.gather(*(worker() for _ in range(min(self._in_flight, orders))))
        return Report(
            orders=orders,
            seconds=time.monotonic() - begin_s,
            statuses=statuses,
            latencies_ms=sorted(1000 * latency_s for latency_s in latencies_s),
            machine=MachineCpu.now() - cpu,
            own_cpu_s=_own_cpu_s() - own,
        )

    async def under_way(self, orders: int) -> None:
        """Wait until so many orders were accepted."""
        deadline_s = time.monotonic() + self._within_s
        while len(self.placed) < orders:
            assert time.monotonic() < deadline_s, f"{len(self.placed)} orders were accepted"
            await asyncio.sleep(LOOK_S)

    def _order(self) -> NewOrder:
        skus = self._rng.sample(range(SKUS), self._rng.randint(1, LINES_MAX))
        lines = [Line(sku=f"LOAD-{n}", quantity=self._rng.randint(1, QUANTITY_MAX)) for n in skus]
        customer = f"load-{self._rng.randrange(CUSTOMERS)}"
        return NewOrder(customer_id=customer, currency=CURRENCY, lines=tuple(lines))

    async def _one(self, number: int) -> Order:
        begin_s = time.monotonic()
        order = self._order()
        key = f"load-{self._run}-{number}" if self._patience_s else None
        answer = await self._patiently(
            lambda: self._client.place_and_wait(order, key=key, wait_s=self._wait_s(begin_s))
        )
        order_id = answer if isinstance(answer, UUID) else answer.order_id
        self.placed.append(order_id)
        while isinstance(answer, UUID) or not answer.has_ended:
            if time.monotonic() - begin_s > self._within_s:
                status = "PENDING" if isinstance(answer, UUID) else answer.status
                raise NotEnded(order_id=order_id, status=status, within_s=self._within_s)
            asked_s = time.monotonic()
            answer = await self._patiently(
                lambda: self._client.order(order_id, wait_s=self._wait_s(begin_s))
            )
            if not answer.has_ended and time.monotonic() < asked_s + RETRY_S:
                await asyncio.sleep(RETRY_S)  # the gateway lets nobody wait now
        return answer

    def _wait_s(self, begin_s: float) -> int:
        """Seconds that a request may wait: no longer than is left for its order."""
        left_s = begin_s + self._within_s - time.monotonic()
        return min(max(ceil(left_s), 1), WAIT_MAX_S)

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask, and if we are patient, again while the gateway is away."""
        deadline_s = time.monotonic() + self._patience_s
        while True:
            try:
                return await ask()
            except (Unreachable, Refused, NotFound) as error:
                if time.monotonic() > deadline_s or not _may_pass(error):
                    raise
            await asyncio.sleep(RETRY_S)


def _may_pass(error: Unreachable | Refused | NotFound) -> bool:
    """Say whether the same request may succeed later: 409 is our own earlier try, under way."""
    if isinstance(error, Refused):
        passing = (httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE)
        return error.status_code in passing
    return isinstance(error, Unreachable)


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system
