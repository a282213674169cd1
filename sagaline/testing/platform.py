"""pytest plugin: the order platform's own `platform`, in place of the one for any platform.

It needs `sagaline.testing.plugin`, and knows what orders are. Tests share the platform: each takes
customers and SKUs of its own (`a_customer`, `a_sku`) and waits for conditions, never for time.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import pytest

from sagaline.local import books
from sagaline.local.answers import NotFound
from sagaline.local.books import Ledger
from sagaline.local.client import INVENTORY, Client
from sagaline.local.views import Line, NewOrder, Order, Saga, Shelf
from sagaline.testing.awaited_saga import AwaitedSaga
from sagaline.testing.environment import Environment
from sagaline.testing.outages import POLL_S, NotSoon
from sagaline.testing.running_platform import RunningPlatform
from sagaline.testing.saga_history import SagaHistory

PRICE_MINOR, ON_HAND, LIMIT_MINOR = 1_000, 1_000, 10_000_000
QUICK = {
    # Outages last ten times the step timeout in some tests: those should end within the day.
    "SAGALINE_ORCHESTRATOR_STEP_TIMEOUT_MS": "2000",
    # So that an attempt that an outage used up would soon be one too many.
    "SAGALINE_ORCHESTRATOR_STEP_RESENDS_MAX": "1",
}


@dataclass(frozen=True, slots=True)
class Quiet:
    """The books once nothing was under way any more, or as they were when the time was over."""

    books: Ledger
    open_sagas: int  # of the orders that this test placed

    @property
    def confirmed_minor(self) -> Mapping[str, int]:
        """What the order service has confirmed, by currency."""
        return _moved(self.books.order.confirmed_minor)

    @property
    def captured_minor(self) -> Mapping[str, int]:
        """What payment has captured, by currency."""
        return _moved(self.books.payment.captured_minor)

    @property
    def committed_minor(self) -> Mapping[str, int]:
        """What the goods are worth that have left inventory, by currency."""
        return _moved(self.books.inventory.committed_minor)

    @property
    def problems(self) -> list[str]:
        """What doesn't add up, in words."""
        sagas = [f"{self.open_sagas} sagas have not ended"] if self.open_sagas else []
        return self.books.problems + sagas


class Platform(RunningPlatform):
    """The order platform, in the hands of one test."""

    def __init__(self, environment: Environment, client: Client, *, seed: int) -> None:
        super().__init__(environment)
        self.client = client
        self.seed = seed
        self._rng = random.Random(seed)  # noqa: S311 - names and orders, no secrets
        self._placed: list[UUID] = []

    # --- orders

    async def a_sku(
        self,
        *,
        on_hand: int = ON_HAND,
        price_minor: int = PRICE_MINOR,
        currency: str = "EUR",
    ) -> str:
        """Give a SKU that nobody else has, on its shelf."""
        sku = f"SKU-{self._rng.getrandbits(48):012x}"
        await self.client.set_stock(
            sku, on_hand=on_hand, price_minor=price_minor, currency=currency
        )
        return sku

    async def a_customer(self, *, limit_minor: int = LIMIT_MINOR, currency: str = "EUR") -> str:
        """Give a customer whom nobody else is, with that credit."""
        customer_id = f"customer-{self._rng.getrandbits(48):012x}"
        await self.client.set_account(customer_id, limit_minor=limit_minor, currency=currency)
        return customer_id

    async def place(
        self,
        lines: Mapping[str, int] | None = None,
        *,
        customer_id: str | None = None,
        currency: str = "EUR",
        key: str | None = None,
    ) -> UUID:
        """Place an order (units by SKU); unless named, SKU and customer are new and have plenty."""
        wanted = lines or {await self.a_sku(currency=currency): 1}
        order = NewOrder(
            customer_id=customer_id or await self.a_customer(currency=currency),
            currency=currency,
            lines=tuple(Line(sku=sku, quantity=quantity) for sku, quantity in wanted.items()),
        )
        order_id = await self.client.place(order, key=key)
        self._placed.append(order_id)
        self.keys.add(order_id)
        return order_id

    async def ended(self, order_id: UUID, *, within_s: float) -> Order:
        """Wait until the customer's answer is final; give the order. Raises NotEnded."""
        return await self.client.ended(order_id, within_s=within_s)

    async def completed_order(
        self, *, sku: str | None = None, quantity: int = 1, within_s: float
    ) -> Order:
        """Place an order that can be met, and wait until it is CONFIRMED and its saga COMPLETED."""
        sku = sku or await self.a_sku()
        await self._fill_shelf(sku, quantity)
        deadline_s = time.monotonic() + within_s
        order_id = await self.place({sku: quantity})
        order = await self.ended(order_id, within_s=within_s)
        assert order.status == "CONFIRMED", order
        saga = await self.saga_ended(order_id, within_s=deadline_s - time.monotonic())
        assert saga.state == "COMPLETED", saga
        return await self.client.order(order_id)

    async def saga(self, order_id: UUID) -> Saga:
        """Give an order's saga as the gateway shows it."""
        return await self.client.saga(order_id)

    async def saga_ended(self, order_id: UUID, *, within_s: float) -> Saga:
        """Wait until the order's saga has ended, one way or the other; give it. Raises NotSoon."""
        deadline_s = time.monotonic() + within_s
        while not (saga := await self.saga(order_id)).has_ended:
            if time.monotonic() > deadline_s:
                raise NotSoon(f"the saga of {order_id} is {saga.state} after {within_s:.0f} s")
            await asyncio.sleep(POLL_S)
        return saga

    def saga_of(self, key: UUID, definition: str = "place-order") -> AwaitedSaga:
        """Give an order's saga as the orchestrator knows it, begun or not."""
        return super().saga_of(key, definition)

    async def history(self, order: Order) -> SagaHistory:
        """Give what the orchestrator has recorded of the order's saga."""
        return await self.saga_of(order.order_id).history()

    async def ledger_when_quiet(self, *, within_s: float) -> Quiet:
        """Wait until nothing is under way; give all four books and the sagas that are open then.

        After `within_s` it gives them as they are: the test's asserts say what is wrong.
        """
        deadline_s = time.monotonic() + within_s
        while await self._open_sagas():
            if time.monotonic() > deadline_s:
                break
            await asyncio.sleep(POLL_S)
        left_s = max(deadline_s - time.monotonic(), 0)
        return Quiet(await books.quiet(self.client, within_s=left_s), await self._open_sagas())

    # --- topics

    async def publish_all_again(self, topic: str, *, keys: Collection[UUID]) -> int:
        """Every record of these orders stands in the topic once more; how many there were."""
        return await self.topics.publish_again(topic, keys={str(key) for key in keys})

    # --- inside

    async def _fill_shelf(self, sku: str, quantity: int) -> None:
        try:
            shelf = Shelf.model_validate(await self.client.get(INVENTORY, f"/stock/{sku}"))
        except NotFound:
            await self.client.set_stock(
                sku, on_hand=ON_HAND + quantity, price_minor=PRICE_MINOR, currency="EUR"
            )
            return
        assert shelf.on_hand - shelf.reserved >= quantity, (
            f"{sku} has too few for a completed order"
        )

    async def _open_sagas(self) -> int:
        found = await asyncio.gather(*(self.saga(order_id) for order_id in self._placed))
        self._placed = [
            order_id
            for order_id, saga in zip(self._placed, found, strict=True)
            if not saga.has_ended
        ]
        return len(self._placed)


@pytest.fixture(scope="session")
def platform_settings() -> Mapping[str, str]:
    """Environment variables for the session's services; a suite may override this fixture."""
    return QUICK


def pytest_addoption(parser: pytest.Parser) -> None:
    """A seed from the outside, to see again what a test has met."""
    parser.addoption(
        "--sagaline-seed", type=int, help="the seed of each test on the platform, as it printed it"
    )


@pytest.fixture
async def platform(
    environment: Environment, pytestconfig: pytest.Config
) -> AsyncIterator[Platform]:
    """The session's platform, whole at the begin of each test. It prints the test's seed."""
    given: int | None = pytestconfig.getoption("--sagaline-seed")
    seed = random.SystemRandom().getrandbits(32) if given is None else given
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    async with (
        Client(environment.urls, environment.operator_urls) as client,
        Platform(environment, client, seed=seed) as platform,
    ):
        await platform.heal()
        yield platform
        await platform.heal()


def _moved(by_currency: Mapping[str, int]) -> dict[str, int]:
    return {currency: amount for currency, amount in by_currency.items() if amount}
