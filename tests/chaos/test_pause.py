"""A service stands still for longer than anybody waits for it, and goes on as if nothing was.

Whatever it held is somebody else's by then: its lane's and its partitions' epochs are newer.
"""

import asyncio
import random

import pytest

from sagaline.local.client import ORCHESTRATOR, PAYMENT
from sagaline.testing.platform import Platform
from sagaline.testing.second_process import second_process
from tests.chaos.conftest import Stopwatch
from tests.chaos.databases import connected
from tests.chaos.market import Market

pytestmark = pytest.mark.timeout(300)

SHOPPERS = 4
PAUSE_S = 12.0  # the group's session timeout is 10 s, the relay's session ends after 3 s


async def test_services_that_stood_still_begin_anew_and_do_nothing_twice(
    platform: Platform, stopwatch: Stopwatch
) -> None:
    services = (PAYMENT, ORCHESTRATOR)
    market = await Market.open(platform)
    async with market.shoppers(SHOPPERS):
        await market.accepted(2 * SHOPPERS)
        before = [await epochs(platform, service) for service in services]
        for service in services:
            platform.pause(service)
        # A pause has a length: nothing is waited for.
        await asyncio.sleep(PAUSE_S)
        for service in services:
            platform.resume(service)
        stopwatch.start()
        await market.ended(await market.place())
        stopwatch.note("a new order ended")
    await market.audit()
    stopwatch.note("all orders ended")
    for service, (lane, positions) in zip(services, before, strict=True):
        newer_lane, newer_positions = await epochs(platform, service)
        assert newer_lane > lane
        assert newer_positions > positions


async def test_a_second_process_takes_over_and_the_first_one_wakes_up_fenced(
    platform: Platform, stopwatch: Stopwatch
) -> None:
    market = await Market.open(platform)
    async with second_process(platform.embedded, PAYMENT, rng=random.Random(platform.seed)):
        async with market.shoppers(SHOPPERS):
            await market.accepted(2 * SHOPPERS)
            platform.pause(PAYMENT)
            stopwatch.start()
            for _ in range(2 * SHOPPERS):  # of all partitions
                await market.ended(await market.place())
            stopwatch.note("orders end while the first stands still")
            assert await owners(platform, PAYMENT) == {f"{PAYMENT}-1"}
            platform.resume(PAYMENT)
            await platform.ready(PAYMENT)
        await market.audit()


async def epochs(platform: Platform, service: str) -> tuple[int, int]:
    """The epoch of the service's lane, and the lowest of its partitions."""
    async with connected(platform, service) as session:
        lane = await session.fetchval("SELECT epoch FROM sagaline.lanes")
        positions = await session.fetchval("SELECT min(epoch) FROM sagaline.positions")
    return lane, positions


async def owners(platform: Platform, service: str) -> set[str]:
    """Which of the service's processes have its partitions."""
    async with connected(platform, service) as session:
        return {owner for (owner,) in await session.fetch("SELECT owner FROM sagaline.positions")}
