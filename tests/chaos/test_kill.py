"""A service is killed among running orders: it comes back, and nothing happened twice or never."""

import random

import pytest

from sagaline.testing.platform import Platform
from tests.chaos.conftest import Stopwatch
from tests.chaos.market import Market

pytestmark = pytest.mark.timeout(300)

SHOPPERS = 20
SERVICES = (
    "gateway_service",
    "order_service",
    "inventory_service",
    "payment_service",
    "notification_service",
    "saga_orchestrator",
)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_kill_among_running_orders_charges_nobody_twice(
    platform: Platform, service: str, stopwatch: Stopwatch
) -> None:
    moment = random.Random(platform.seed).randint(1, 2 * SHOPPERS)
    market = await Market.open(platform)
    async with market.shoppers(SHOPPERS):
        await market.accepted(moment)
        await platform.kill(service)
        stopwatch.start()
        await platform.ready(service)
        stopwatch.note("ready again")
        await market.ended(await market.place())
        stopwatch.note("a new order ended")
    await market.audit()
    stopwatch.note("all orders ended")
