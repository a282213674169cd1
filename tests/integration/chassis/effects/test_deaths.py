"""What is charged outside is charged once, wherever between two commits a process dies."""

import asyncio
from collections.abc import Sequence

import pytest

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Call
from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from sagaline.chassis.positions import Fenced
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.dying import (
    WITHIN_S,
    died_while_calling,
    never_arrived,
    open_intents,
    redelivered,
)
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.shop import once
from tests.integration.chassis.stage import Stage


async def test_a_death_before_the_call_arrived(stage: Stage, bank: Bank, shop: PayingShop) -> None:
    bank.moods = {1: "away"}
    with pytest.raises(ProviderUnavailable):
        await stage.handle_directly(stage.action(1))
    assert await open_intents(stage) == 1
    bank.moods.clear()
    with pytest.raises(Overtaken):  # that nobody knows of it proves nothing yet
        await stage.handle_directly(stage.action(1))
    assert await stage.answers() == []
    await redelivered(stage, stage.action(1))
    assert await stage.effects() == {(1, "reserved"): 1}
    assert bank.charged == {"1 action": 1}
    assert shop.intended == [1]
    assert await open_intents(stage) == 0


async def test_a_death_while_the_call_is_under_way(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "late"}
    await died_while_calling(stage, bank, stage.action(1))
    with pytest.raises(Overtaken):
        await stage.handle_directly(stage.action(1))
    bank.let_go.set()  # the call arrives after it was asked about
    await redelivered(stage, stage.action(1))
    assert await stage.outcomes(1) == ["succeeded"]
    assert (bank.calls, bank.charged) == ({"1 action": 1}, {"1 action": 1})


async def test_a_death_after_the_call(stage: Stage, bank: Bank, shop: PayingShop) -> None:
    bank.moods = {1: "silent"}
    await died_while_calling(stage, bank, stage.action(1))
    await redelivered(stage, stage.action(1))
    assert await stage.effects() == {(1, "reserved"): 1}
    assert await stage.outcomes(1) == ["succeeded"]
    assert bank.calls == {"1 action": 1}


async def test_a_death_before_the_second_commit(stage: Stage, bank: Bank, shop: PayingShop) -> None:
    async def died(_tx: Transaction, _batch: Sequence[Message]) -> None:
        raise ConnectionResetError("the process dies here")

    shop.after = once(died)
    with pytest.raises(ConnectionResetError):
        await stage.handle_directly(stage.action(1), stage.action(2))
    assert (await stage.effects(), await open_intents(stage)) == ({}, 2)
    await redelivered(stage, stage.action(1), stage.action(2))
    assert await stage.effects() == {(1, "reserved"): 1, (2, "reserved"): 1}
    assert bank.calls == {"1 action": 1, "2 action": 1}


async def test_a_process_that_lost_its_partition_settles_nothing(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "silent"}
    batch, cursors = await stage.delivered(stage.action(1))
    stopped = asyncio.create_task(stage.inbox().handle(batch, cursors))
    async with asyncio.timeout(WITHIN_S):
        await bank.arrived.wait()
    await stage.handle_directly(stage.action(1))  # another process: it claims, and asks
    bank.let_go.set()
    with pytest.raises(Fenced):
        await stopped
    assert await stage.effects() == {(1, "reserved"): 1}
    assert await stage.outcomes(1) == ["succeeded"]
    assert bank.calls == {"1 action": 1}


async def test_a_process_that_lost_its_partition_while_it_asked_calls_nobody(
    stage: Stage, bank: Bank, shop: PayingShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await never_arrived(stage, bank)
    ask = shop.charges.find

    async def ask_and_lose(call: Call[Message]) -> bool | None:
        found = await ask(call)
        await stage.delivered(stage.action(1))  # another process claims the partition
        return found

    monkeypatch.setattr(shop.charges, "find", ask_and_lose)
    with pytest.raises(Fenced):  # the other one may take the old deadline for the last
        await stage.handle_directly(stage.action(1))
    assert bank.calls == {"1 action": 1}
