"""Orders to load a platform with: all can be met, but for those that are to be declined."""

import asyncio
import json
import random

from sagaline.local.client import Client

SKUS, CUSTOMERS, LINES_MAX, QUANTITY_MAX = 50, 200, 3, 3
CURRENCY = "EUR"
PLENTY = 1_000_000_000
POOR = "load-without-credit"


class Orders:
    """Makes orders; so many percent of them are a customer's whose credit is never enough."""

    def __init__(self, rng: random.Random, *, declined_percent: float = 0.0) -> None:
        assert 0 <= declined_percent <= 100, declined_percent
        self._rng = rng
        self._declined_percent = declined_percent

    async def prepare(self, client: Client) -> None:
        """Every SKU and customer is there, with plenty; one customer with nothing."""
        limits = {f"load-{n}": 1_000 * PLENTY for n in range(CUSTOMERS)} | {POOR: 0}
        shelves = [
            client.set_stock(f"LOAD-{n}", on_hand=PLENTY, price_minor=100 + n, currency=CURRENCY)
            for n in range(SKUS)
        ]
        accounts = [
            client.set_account(name, limit_minor=limit, currency=CURRENCY)
            for name, limit in limits.items()
        ]
        await asyncio.gather(*shelves, *accounts)

    def next(self) -> tuple[bytes, str]:
        """Give the body of another order, and the status it has to end in."""
        is_declined = self._rng.random() * 100 < self._declined_percent
        customer = POOR if is_declined else f"load-{self._rng.randrange(CUSTOMERS)}"
        skus = self._rng.sample(range(SKUS), self._rng.randint(1, LINES_MAX))
        lines = [{"sku": f"LOAD-{n}", "quantity": self._rng.randint(1, QUANTITY_MAX)} for n in skus]
        order = {"customer_id": customer, "currency": CURRENCY, "lines": lines}
        return json.dumps(order).encode(), "REJECTED" if is_declined else "CONFIRMED"
