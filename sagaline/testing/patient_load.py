"""Orders placed while something fails: so many at a time, each asked for until it is answered."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from math import ceil
from typing import TypeVar
from uuid import UUID

import httpx

from sagaline.local.answers import NotFound, Refused
from sagaline.local.client import WAIT_MAX_S, Client, NotEnded, Unreachable
from sagaline.local.load.orders import Orders
from sagaline.local.views import NewOrder, Order

LOOK_S = 0.01
RETRY_S = 0.1

T = TypeVar("T")


class PatientLoad:
    """Orders that all can be met: stock and credit are prepared in plenty.

    For `patience_s` an order that is refused with 503, or not answered, is posted again with its
    idempotency key.
    """

    def __init__(
        self,
        client: Client,
        *,
        in_flight: int,
        rng: random.Random,
        patience_s: float,
        within_s: float,
    ) -> None:
        assert in_flight > 0, in_flight
        self._client = client
        self._in_flight = in_flight
        self._orders = Orders(rng)
        self._patience_s = patience_s
        self._within_s = within_s
        self._run = f"{rng.getrandbits(64):016x}"
        self.placed: list[UUID] = []

    async def prepare(self) -> None:
        """Every SKU and customer of the load can be served."""
        await self._orders.prepare(self._client)

    async def run(self, orders: int) -> Counter[str]:
        """Place `orders` and wait for each; how many ended how. Raises the client's errors."""
        numbers = iter(range(orders))
        statuses: Counter[str] = Counter()

        async def worker() -> None:
            for number in numbers:
                order = await self._one(number)
                statuses[order.status] += 1

        await asyncio.gather(*(worker() for _ in range(min(self._in_flight, orders))))
        return statuses

    async def under_way(self, orders: int) -> None:
        """Wait until so many orders were accepted."""
        deadline_s = time.monotonic() + self._within_s
        while len(self.placed) < orders:
            assert time.monotonic() < deadline_s, f"{len(self.placed)} orders were accepted"
            await asyncio.sleep(LOOK_S)

    async def _one(self, number: int) -> Order:
        begin_s = time.monotonic()
        body, _ = self._orders.next()
        order, key = NewOrder.model_validate_json(body), f"load-{self._run}-{number}"
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
        """Ask, and again while the gateway is away."""
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
