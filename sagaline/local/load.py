"""A closed loop of orders: so many at a time, each watched until the customer's answer is final."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from sagaline.local.client import Client, NotEnded, NotFound, Refused, Unreachable
from sagaline.local.machine_cpu import MachineCpu
from sagaline.local.views import Line, NewOrder, Order

SKUS, CUSTOMERS, LINES_MAX, QUANTITY_MAX = 50, 200, 3, 3
CURRENCY = "EUR"
PLENTY = 1_000_000_000
FIRST_LOOK_MAX_S, LOOK_MIN_S, LOOK_MAX_S = 5.0, 0.01, 0.5
RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Report:
    """What a load came to. Latency: from before the POST until a GET shows the order's end."""

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
        self._usual_s = 0.1  # how long the last orders took, smoothed
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
            await asyncio.sleep(LOOK_MIN_S)

    def _order(self) -> NewOrder:
        skus = self._rng.sample(range(SKUS), self._rng.randint(1, LINES_MAX))
        lines = [Line(sku=f"LOAD-{n}", quantity=self._rng.randint(1, QUANTITY_MAX)) for n in skus]
        customer = f"load-{self._rng.randrange(CUSTOMERS)}"
        return NewOrder(customer_id=customer, currency=CURRENCY, lines=tuple(lines))

    async def _one(self, number: int) -> Order:
        begin_s = time.monotonic()
        order_id = await self._placed(number, self._order())
        self.placed.append(order_id)
        # The first look is due when orders usually end: looking costs the platform, too.
        await asyncio.sleep(min(0.8 * self._usual_s, FIRST_LOOK_MAX_S))
        while (order := await self._seen(order_id)) is None or not order.has_ended:
            if time.monotonic() - begin_s > self._within_s:
                status = order.status if order else "unknown"
                raise NotEnded(order_id=order_id, status=status, within_s=self._within_s)
            await asyncio.sleep(min(max(0.1 * self._usual_s, LOOK_MIN_S), LOOK_MAX_S))
        self._learn(order)
        return order

    def _learn(self, order: Order) -> None:
        # By the gateway's clock, not by ours: a look that came late would make all later ones late.
        if order.ended_at is not None:
            took_s = (order.ended_at - order.placed_at).total_seconds()
            self._usual_s += 0.2 * (took_s - self._usual_s)

    async def _placed(self, number: int, order: NewOrder) -> UUID:
        key = f"load-{self._run}-{number}" if self._patience_s else None
        deadline_s = time.monotonic() + self._patience_s
        while True:
            try:
                return await self._client.place(order, key=key)
            except (Unreachable, Refused) as error:
                if time.monotonic() > deadline_s or not _may_pass(error):
                    raise
            await asyncio.sleep(RETRY_S)

    async def _seen(self, order_id: UUID) -> Order | None:
        """Look at an order; None if the gateway can't be asked now, and we are patient."""
        try:
            return await self._client.order(order_id)
        except (Unreachable, Refused, NotFound) as error:
            if not self._patience_s or not _may_pass(error):
                raise
            return None


def _may_pass(error: Unreachable | Refused | NotFound) -> bool:
    """Say whether the same request may succeed later: 409 is our own earlier try, under way."""
    if isinstance(error, Refused):
        passing = (httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE)
        return error.status_code in passing
    return isinstance(error, Unreachable)


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system
