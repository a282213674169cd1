"""Processes that die while they call the bank, and what comes after them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from sagaline.chassis.positions import Fenced
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.parcels import Parcel
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage

WITHIN_S = 40


@asynccontextmanager
async def in_hand(stage: Stage, bank: Bank, *parcels: Parcel) -> AsyncIterator[None]:
    """A process has called for these when the block begins, and dies at its end."""
    bank.arrived.clear()
    process = asyncio.create_task(stage.handle_directly(*parcels))
    async with asyncio.timeout(WITHIN_S):
        await bank.arrived.wait()
    try:
        yield
    finally:
        process.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await process


async def died_while_calling(stage: Stage, bank: Bank, *parcels: Parcel) -> None:
    async with in_hand(stage, bank, *parcels):
        pass


async def redelivered(stage: Stage, *parcels: Parcel) -> None:
    """The parcels come until they are handled, as a session has it after errors that pass."""

    async def handled() -> bool:
        with suppress(Overtaken, ProviderUnavailable):
            await stage.handle_directly(*parcels)
            return True
        return False

    await eventually(handled, what="handled", within_s=WITHIN_S)


async def time_passes(stage: Stage) -> None:
    """An hour goes by: no call that was made before can arrive any more."""
    await stage.query("UPDATE sagaline.intent SET deadline_at = deadline_at - interval '1 hour'")


async def open_intents(stage: Stage) -> int:
    return len(await stage.query("SELECT 1 FROM sagaline.intent"))


async def never_arrived(stage: Stage, bank: Bank) -> None:
    """The call of order 1 did not reach the bank, and its deadline has passed since."""
    bank.moods = {1: "away"}
    with pytest.raises(ProviderUnavailable):
        await stage.handle_directly(stage.action(1))
    bank.moods.clear()
    await time_passes(stage)
