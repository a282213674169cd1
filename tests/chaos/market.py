"""A market: shoppers keep ordering on the platform while a test takes parts of it down.

How each order has to end is known when it is placed, from the shelf and the credit that it asks of.
So one that an outage rejected is told by its reason, and one that was paid twice by its customer's
account.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Self, TypeVar
from uuid import UUID

import httpx

from sagaline.chassis.partitioner import partition_of
from sagaline.local.answers import Refused
from sagaline.local.client import INVENTORY, PAYMENT, Unreachable
from sagaline.local.views import Account, Line, NewOrder, Shelf
from sagaline.testing.platform import Platform
from tests.chaos.baskets import CONFIRMED, NO_CREDIT, OUT_OF_STOCK, Basket, End, end_of
from tests.chaos.crowd import Crowd
from tests.chaos.waiting import WITHIN_S, until

T = TypeVar("T")
CUSTOMERS, SHELVES, QUANTITY_MAX = 4, 4, 3
ON_HAND, LIMIT_MINOR, PRICE_MINOR = 1_000_000, 100_000_000, 700
PATIENCE_S = 1.0  # so long a shopper waits for an order's end before the next one
ASK_S, ASK_AGAIN_S = 10, 0.5  # so long a question waits for the answer; and until the next one
AUDITORS = 20


class Answer(NamedTuple):
    """What a POST got; None: nobody answered."""

    status: int | None
    retry_after: str | None


class Market:
    """Shelves, customers, and what was ordered; its own, so other tests' orders don't matter."""

    def __init__(
        self,
        platform: Platform,
        *,
        skus: Sequence[str],
        sold_out: str,
        customers: Sequence[str],
        poor: str,
        within_s: float,
    ) -> None:
        self.answers: list[Answer] = []
        self.orders: dict[UUID, Basket] = {}
        self._platform = platform
        self._skus = skus
        self._sold_out = sold_out
        self._customers = customers
        self._poor = poor
        self._within_s = within_s
        self._rng = random.Random(platform.seed)

    @classmethod
    async def open(cls, platform: Platform, *, within_s: float = WITHIN_S) -> Self:
        """Fill shelves and purses. No order may take longer than `within_s`."""
        full = [
            await platform.a_sku(on_hand=ON_HAND, price_minor=PRICE_MINOR) for _ in range(SHELVES)
        ]
        rich = [await platform.a_customer(limit_minor=LIMIT_MINOR) for _ in range(CUSTOMERS)]
        return cls(
            platform,
            skus=full,
            sold_out=await platform.a_sku(on_hand=0),
            customers=rich,
            poor=await platform.a_customer(limit_minor=PRICE_MINOR - 1),
            within_s=within_s,
        )

    async def place(self, end: End | None = None) -> UUID:
        """An order (with that end, if one is named) is accepted: posted until it is, with a key."""
        basket, key = self._basket(end or self._any_end()), f"{self._rng.getrandbits(64):016x}"
        line = Line(sku=basket.sku, quantity=basket.quantity)
        order = NewOrder(customer_id=basket.customer_id, currency="EUR", lines=(line,))
        order_id = await until(lambda: self._post(order, key), "an order is accepted")
        assert order_id is not None
        self.orders[order_id] = basket
        return order_id

    @asynccontextmanager
    async def crowd(self, number: int) -> AsyncIterator[Crowd]:
        """So many people order once, all at the same time; the block waits until each has ended."""
        crowd = Crowd()
        async with asyncio.TaskGroup() as ordering:
            for _ in range(number):
                ordering.create_task(self._order_once(crowd))
            yield crowd

    async def an_order_of_each(self, partitions: int) -> None:
        """Orders that are placed now end, at least one in each partition of the topics."""
        placed: dict[int, UUID] = {}
        while len(placed) < partitions:
            more = await asyncio.gather(*(self.place() for _ in range(partitions)))
            placed |= {partition_of(str(order_id), partitions): order_id for order_id in more}
        await asyncio.gather(*map(self.ended, placed.values()))

    @asynccontextmanager
    async def shoppers(self, number: int) -> AsyncIterator[None]:
        """So many people order all the time, one order after the other, until the block ends."""
        closing = asyncio.Event()
        async with asyncio.TaskGroup() as shopping:
            for _ in range(number):
                shopping.create_task(self._shop(closing))
            yield
            closing.set()

    async def accepted(self, orders: int) -> None:
        """Wait until so many more were accepted."""
        wanted = len(self.orders) + orders

        async def enough() -> bool:
            return len(self.orders) >= wanted

        await until(enough, f"{orders} more orders are accepted")

    async def ended(self, order_id: UUID) -> End:
        """Wait until the order and its saga have ended; tell how. Raises NotSoon."""
        what = f"{order_id} has ended"
        end = await until(
            lambda: self._end(order_id), what, within_s=self._within_s, poll_s=ASK_AGAIN_S
        )
        assert end is not None
        return end

    async def audit(self) -> None:
        """Each order ends as it had to, paid once, taken once, told once; and the books agree."""
        ends = dict(await self._of_each_order(self.ended))
        wrong = {i: end for i, end in ends.items() if end != self.orders[i].end}
        assert wrong == {}
        quiet = await self._platform.ledger_when_quiet(within_s=self._within_s)
        assert quiet.problems == []
        sold, owed = self._sold()
        for sku in self._skus:
            assert await self._shelf(sku) == (ON_HAND - sold[sku], 0), sku
        assert await self._shelf(self._sold_out) == (0, 0)
        for customer_id in (*self._customers, self._poor):
            assert await self._paid(customer_id) == (owed[customer_id], 0), customer_id
        told = await self._of_each_order(self._platform.client.notifications)
        wrong_news = {i: news for i, news in told if news != [ends[i].news]}
        assert wrong_news == {}

    # --- inside

    def _any_end(self) -> End:
        return self._rng.choices((CONFIRMED, OUT_OF_STOCK, NO_CREDIT), weights=(8, 1, 1))[0]

    def _basket(self, end: End) -> Basket:
        return Basket(
            customer_id=self._poor if end == NO_CREDIT else self._rng.choice(self._customers),
            sku=self._sold_out if end == OUT_OF_STOCK else self._rng.choice(self._skus),
            quantity=self._rng.randint(1, QUANTITY_MAX),
            end=end,
        )

    async def _post(self, order: NewOrder, key: str) -> UUID | None:
        try:
            answer = await self._platform.client.post_order(
                order.model_dump_json().encode(), key=key
            )
        except Unreachable:
            self.answers.append(Answer(None, None))
            return None
        self.answers.append(Answer(answer.status_code, answer.headers.get("Retry-After")))
        if answer.status_code == httpx.codes.ACCEPTED:
            return UUID(answer.json()["order_id"])
        # 409: an earlier try of the same request is under way.
        passing = (httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE)
        assert answer.status_code in passing, answer.text
        return None

    async def _of_each_order(self, ask: Callable[[UUID], Awaitable[T]]) -> list[tuple[UUID, T]]:
        order_ids = iter(self.orders)

        async def auditor() -> list[tuple[UUID, T]]:
            return [(order_id, await ask(order_id)) for order_id in order_ids]

        audited = await asyncio.gather(*(auditor() for _ in range(AUDITORS)))
        return [each for found in audited for each in found]

    async def _order_once(self, crowd: Crowd) -> None:
        order_id = await self.place()
        crowd.advance()
        await self.ended(order_id)
        crowd.advance()

    async def _shop(self, closing: asyncio.Event) -> None:
        while not closing.is_set():
            order_id = await self.place()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self.ended(order_id)
            except TimeoutError:
                continue

    async def _end(self, order_id: UUID) -> End | None:
        """None while the gateway can't be asked. An accepted order that is NotFound was lost."""
        try:
            order = await self._platform.client.order(order_id, wait_s=ASK_S)
            if order.has_ended and (await self._platform.saga(order_id)).has_ended:
                return end_of(order)
            return None
        except (Unreachable, Refused):
            return None

    def _sold(self) -> tuple[Counter[str], Counter[str]]:
        """Units by SKU and money by customer, of the orders that had to be confirmed."""
        sold: Counter[str] = Counter()
        owed: Counter[str] = Counter()
        for customer_id, sku, quantity, end in self.orders.values():
            if end == CONFIRMED:
                sold[sku] += quantity
                owed[customer_id] += quantity * PRICE_MINOR
        return sold, owed

    async def _shelf(self, sku: str) -> tuple[int, int]:
        """Units on the shelf, and how many of them are reserved."""
        shelf = Shelf.model_validate(await self._platform.client.get(INVENTORY, f"/stock/{sku}"))
        return shelf.on_hand, shelf.reserved

    async def _paid(self, customer_id: str) -> tuple[int, int]:
        """Money that was captured, and what is still held."""
        path = f"/accounts/{customer_id}"
        account = Account.model_validate(await self._platform.client.get(PAYMENT, path))
        return account.captured_minor, account.authorized_minor
