"""Customers of a load: they place orders, wait for the end of each, and know what it should be."""

import asyncio
import random
import time
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from sagaline.local.client import WAIT_MAX_S, Client, NotEnded
from sagaline.local.views import Line, NewOrder, Order

SKUS, CUSTOMERS, LINES_MAX, QUANTITY_MAX = 50, 200, 3, 3
CURRENCY = "EUR"
PLENTY = 1_000_000_000
PENNILESS = "load-penniless"
RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Served:
    """An order that has ended, and whether it ended as its customer's credit says."""

    order_id: UUID
    status: str
    as_expected: bool


class Customers:
    """Stock and credit are prepared in plenty, but for `declined_percent` of the orders.

    An order may take `within_s`.
    """

    def __init__(
        self,
        client: Client,
        *,
        rng: random.Random,
        declined_percent: float = 0.0,
        within_s: float = 60.0,
    ) -> None:
        self._client = client
        self._rng = rng
        self._declined_percent = declined_percent
        self._within_s = within_s
        self.placed: list[UUID] = []

    async def prepare(self) -> None:
        """Every SKU and customer of the load can be served, but for the one without credit."""
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
            self._client.set_account(PENNILESS, limit_minor=0, currency=CURRENCY),
        )

    async def serve(self) -> Served:
        """Place an order and wait for its end. Raises the client's errors."""
        order = self._order()
        ended = await self._ended(order)
        expected = "REJECTED" if order.customer_id == PENNILESS else "CONFIRMED"
        return Served(ended.order_id, ended.status, ended.status == expected)

    def _order(self) -> NewOrder:
        skus = self._rng.sample(range(SKUS), self._rng.randint(1, LINES_MAX))
        lines = [Line(sku=f"LOAD-{n}", quantity=self._rng.randint(1, QUANTITY_MAX)) for n in skus]
        customer = f"load-{self._rng.randrange(CUSTOMERS)}"
        if self._rng.random() * 100 < self._declined_percent:
            customer = PENNILESS
        return NewOrder(customer_id=customer, currency=CURRENCY, lines=tuple(lines))

    async def _ended(self, order: NewOrder) -> Order:
        begin_s = time.monotonic()
        answer = await self._client.place_and_wait(order, wait_s=self._wait_s(begin_s))
        order_id = answer if isinstance(answer, UUID) else answer.order_id
        self.placed.append(order_id)
        while isinstance(answer, UUID) or not answer.has_ended:
            if time.monotonic() - begin_s > self._within_s:
                status = "PENDING" if isinstance(answer, UUID) else answer.status
                raise NotEnded(order_id=order_id, status=status, within_s=self._within_s)
            asked_s = time.monotonic()
            answer = await self._client.order(order_id, wait_s=self._wait_s(begin_s))
            if not answer.has_ended and time.monotonic() < asked_s + RETRY_S:
                await asyncio.sleep(RETRY_S)  # the gateway lets nobody wait now
        return answer

    def _wait_s(self, begin_s: float) -> int:
        """Seconds that a request may wait: no longer than is left for its order."""
        left_s = begin_s + self._within_s - time.monotonic()
        return min(max(ceil(left_s), 1), WAIT_MAX_S)
