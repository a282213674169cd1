"""A release is rolled out under load: a service at a time, its tables first; no order is harmed.

How long orders took is told, and asserted in the long form (`make chaos`), which has its machine
for itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sagaline.local.client import ORDER
from sagaline.testing.platform import Platform
from tests.chaos.conftest import Stopwatch
from tests.chaos.databases import connected
from tests.chaos.market import Market
from tests.chaos.programs import run

pytestmark = pytest.mark.timeout(600)

EACH_S = 0.1  # between two orders
LATE_S = 10.0
NEXT_RELEASE = "9999"  # a revision that this release doesn't know


async def test_no_order_is_lost_or_late_while_each_service_is_replaced(
    platform: Platform, stopwatch: Stopwatch, pytestconfig: pytest.Config
) -> None:
    market = await Market.open(platform)
    async with steady_orders(market) as took_s:
        await market.accepted(10)
        for service in platform.embedded.config.services:
            # The new release's migrations, while the old one serves.
            await asyncio.to_thread(run, platform, service.name, service.name, "migrate")
            began_s = time.monotonic()
            await platform.stop(service.name)
            await platform.start(service.name)
            stopwatch.tell(time.monotonic() - began_s, f"{service.name} replaced")
            await market.accepted(5)
    stopwatch.tell(max(took_s), f"the longest of {len(took_s)} orders meanwhile")
    assert max(took_s) <= LATE_S or not pytestconfig.getoption("--long-drill", default=False)
    await market.audit()


async def test_a_release_runs_on_the_next_ones_tables(platform: Platform) -> None:
    market = await Market.open(platform)
    async with steady_orders(market), expanded(platform):
        await market.accepted(10)
        # Gone back to: its own process starts on tables that are ahead of it.
        await platform.stop(ORDER)
        await platform.start(ORDER)
        await market.accepted(10)
    await market.audit()


@asynccontextmanager
async def steady_orders(market: Market) -> AsyncIterator[list[float]]:
    """Orders are placed at even intervals for the block; how long each took until its end."""
    took_s: list[float] = []
    closing = asyncio.Event()

    async def order() -> None:
        began_s = time.monotonic()
        await market.ended(await market.place())
        took_s.append(time.monotonic() - began_s)

    async with asyncio.TaskGroup() as orders:

        async def arrive() -> None:
            while not closing.is_set():
                orders.create_task(order())
                await asyncio.sleep(EACH_S)

        orders.create_task(arrive())
        yield took_s
        closing.set()


@asynccontextmanager
async def expanded(platform: Platform) -> AsyncIterator[None]:
    """The order service's tables are those of the next release, which adds to them."""
    async with connected(platform, ORDER) as session:
        before = await session.fetchval("SELECT version_num FROM alembic_version")
        await session.execute("SET lock_timeout = '2s'")
        await session.execute("ALTER TABLE orders ADD COLUMN gift boolean NOT NULL DEFAULT false")
        await session.execute("UPDATE alembic_version SET version_num = $1", NEXT_RELEASE)
        try:
            yield
        finally:
            await session.execute("UPDATE alembic_version SET version_num = $1", before)
            await session.execute("ALTER TABLE orders DROP COLUMN gift")
