"""Kafka is away for ten step timeouts: orders are accepted, and none is rejected because of it."""

import asyncio

import pytest

from sagaline.testing.platform import QUICK, Platform
from tests.chaos.conftest import Stopwatch
from tests.chaos.market import Market

pytestmark = pytest.mark.timeout(300)

STEP_TIMEOUT_S = int(QUICK["SAGALINE_ORCHESTRATOR_STEP_TIMEOUT_MS"]) / 1000
SHOPPERS = 4


async def test_kafka_away_for_ten_step_timeouts_rejects_no_order(
    platform: Platform, stopwatch: Stopwatch
) -> None:
    market = await Market.open(platform)
    async with market.shoppers(SHOPPERS):
        await market.accepted(2 * SHOPPERS)
        await platform.kill_kafka()
        await stay_away(market)
        await platform.start_kafka()
        await goes_on(market, stopwatch)
    await market.audit()
    stopwatch.note("all orders ended")


async def stay_away(market: Market) -> None:
    """The outage has lasted for ten step timeouts; meanwhile, every order was accepted at once."""
    market.answers.clear()
    # An outage has a length: nothing is waited for.
    await asyncio.sleep(10 * STEP_TIMEOUT_S)
    assert {answer.status for answer in market.answers} == {202}


async def goes_on(market: Market, stopwatch: Stopwatch) -> None:
    """An order that is placed from now on ends, too."""
    stopwatch.start()
    await market.ended(await market.place())
    stopwatch.note("a new order ended")
