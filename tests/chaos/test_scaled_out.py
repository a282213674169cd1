"""Several processes of each service share its partitions; orders and books don't notice."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from sagaline.local.client import INVENTORY, ORCHESTRATOR, PAYMENT
from sagaline.testing.platform import Platform
from sagaline.testing.second_process import second_process
from tests.chaos.conftest import Stopwatch
from tests.chaos.databases import connected
from tests.chaos.market import Market
from tests.chaos.waiting import until

pytestmark = pytest.mark.timeout(600)

SHOPPERS = 8
ORDERS = 5 * SHOPPERS


@asynccontextmanager
async def scaled_out(platform: Platform, processes: Mapping[str, int]) -> AsyncIterator[None]:
    """So many processes of these services run, and each of them has partitions."""
    rng = random.Random(platform.seed)
    more = [(service, slot) for service, n in processes.items() for slot in range(1, n)]
    async with AsyncExitStack() as stack:
        entering = (
            stack.enter_async_context(second_process(platform.embedded, service, rng=rng, slot=n))
            for service, n in more
        )
        await asyncio.gather(*entering)
        for service, number in processes.items():
            await shared(platform, service, number)
        yield


async def shared(platform: Platform, service: str, processes: int) -> None:
    """The service's partitions are held by so many processes."""

    async def held() -> bool:
        async with connected(platform, service) as session:
            owners = await session.fetch("SELECT DISTINCT owner FROM sagaline.positions")
        return {row["owner"] for row in owners} == {f"{service}-{n}" for n in range(processes)}

    await until(held, f"{processes} processes of {service} share its partitions")


async def test_two_processes_of_each_service(platform: Platform, stopwatch: Stopwatch) -> None:
    market = await Market.open(platform)
    two_of_each = dict.fromkeys((service.name for service in platform.embedded.config.services), 2)
    async with scaled_out(platform, two_of_each):
        async with market.shoppers(SHOPPERS):
            await market.accepted(ORDERS)
            # Each of them drains its lane, unless the second one came first.
            await asyncio.gather(platform.kill(PAYMENT), platform.kill(ORCHESTRATOR))
            stopwatch.start()
            for _ in range(4):
                await market.ended(await market.place())
            stopwatch.note("orders end after one of two was killed")
            await market.accepted(SHOPPERS)
        await market.audit()


async def test_three_processes_of_services_whose_orders_share_rows(platform: Platform) -> None:
    market = await Market.open(platform)
    async with scaled_out(platform, {INVENTORY: 3, PAYMENT: 3, ORCHESTRATOR: 3}):
        async with market.shoppers(SHOPPERS):
            await market.accepted(ORDERS)
        await market.audit()
