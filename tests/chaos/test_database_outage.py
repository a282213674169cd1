"""The databases are killed: nothing is accepted meanwhile, nothing accepted is lost."""

import asyncio

import pytest

from sagaline.testing.platform import Platform
from tests.chaos.conftest import Stopwatch
from tests.chaos.market import Market

pytestmark = pytest.mark.timeout(300)

SHOPPERS = 8
OUTAGE_S = 3.0


async def test_databases_that_were_killed_lose_no_order_and_everything_goes_on_by_itself(
    platform: Platform, stopwatch: Stopwatch
) -> None:
    market = await Market.open(platform)
    async with market.shoppers(SHOPPERS):
        await market.accepted(2 * SHOPPERS)
        market.answers.clear()
        await platform.kill_postgres()
        # An outage has a length: nothing is waited for.
        await asyncio.sleep(OUTAGE_S)
        refused = [answer for answer in market.answers if answer.status == 503]
        assert refused
        assert all(answer.retry_after for answer in refused)
        assert {answer.status for answer in market.answers} <= {202, 503}  # 202: before the kill
        await platform.start_postgres()
        stopwatch.start()
        await market.ended(await market.place())
        stopwatch.note("a new order ended")
    await market.audit()
    stopwatch.note("all orders ended")
