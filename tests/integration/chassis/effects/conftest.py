"""A bank that can be told to misbehave, and a shop that calls it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.stage import Stage


@pytest_asyncio.fixture
async def bank() -> AsyncIterator[Bank]:
    async with Bank().open() as bank:
        yield bank


@pytest_asyncio.fixture
async def shop(stage: Stage, bank: Bank) -> PayingShop:
    stage.shop = PayingShop(bank)
    return stage.shop
