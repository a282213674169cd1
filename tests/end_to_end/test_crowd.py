"""Fifty people order at the same time, and each order ends as it had to."""

import pytest

from sagaline.testing.platform import Platform
from tests.chaos.baskets import CONFIRMED, NO_CREDIT, OUT_OF_STOCK
from tests.chaos.market import Market

ORDERS = 50


@pytest.mark.timeout(300)
async def test_fifty_orders_at_once_end_right_and_the_books_agree(platform: Platform) -> None:
    market = await Market.open(platform)
    for end in (CONFIRMED, OUT_OF_STOCK, NO_CREDIT):
        await market.place(end)
    async with market.crowd(ORDERS - 3):
        pass
    assert len(market.orders) == ORDERS
    await market.audit()
