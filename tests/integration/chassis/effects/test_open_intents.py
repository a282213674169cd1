"""An undo or a revoke that comes while nobody knows whether its action took place."""

import pytest

from sagaline.chassis.errors import Overtaken
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.dying import (
    died_while_calling,
    never_arrived,
    open_intents,
    redelivered,
)
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.stage import Stage


async def test_an_undo_finds_out_that_its_action_took_place(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "silent"}
    await died_while_calling(stage, bank, stage.action(1))
    bank.moods.clear()
    await redelivered(stage, stage.undo(1, saw="indoubt"))
    assert await stage.effects() == {(1, "reserved"): 1, (1, "released"): 1}
    assert bank.charged == {"1 action": 1, "1 undo": 1}
    assert await stage.barrier() == {(1, "action"): "done", (1, "undo"): "done"}
    assert await stage.outcomes(1) == ["undone"]
    await stage.handle_directly(stage.action(1))
    assert await stage.outcomes(1) == ["undone", "succeeded"]
    assert await open_intents(stage) == 0


async def test_an_undo_waits_for_a_call_that_may_be_under_way(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "late"}
    await died_while_calling(stage, bank, stage.action(1))
    with pytest.raises(Overtaken):  # a no-op now would leave the customer charged
        await stage.handle_directly(stage.undo(1, saw="indoubt"))
    assert await stage.answers() == []
    bank.let_go.set()
    await redelivered(stage, stage.undo(1, saw="indoubt"))
    assert bank.charged == {"1 action": 1, "1 undo": 1}
    assert await stage.outcomes(1) == ["undone"]


async def test_an_undo_that_waits_holds_up_no_neighbour(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "late"}
    await died_while_calling(stage, bank, stage.action(1))
    commands = (stage.undo(1, saw="indoubt"), stage.action(2), stage.action(5))
    with pytest.raises(Overtaken):
        await stage.handle_directly(*commands)
    assert await stage.effects() == {(2, "reserved"): 1, (5, "reserved"): 1}
    assert {each.order for each in await stage.answers()} == {2, 5}
    assert await open_intents(stage) == 1
    bank.let_go.set()
    await redelivered(stage, *commands)
    assert await stage.outcomes(1) == ["undone"]
    assert bank.charged == {"1 action": 1, "1 undo": 1, "2 action": 1, "5 action": 1}
    assert (bank.calls["2 action"], bank.calls["5 action"]) == (1, 1)
    assert await open_intents(stage) == 0


async def test_an_undo_that_waits_holds_up_no_other_undo(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "late", 5: "silent"}
    await died_while_calling(stage, bank, stage.action(5))
    await died_while_calling(stage, bank, stage.action(1))
    bank.moods.pop(5)
    with pytest.raises(Overtaken):
        await stage.handle_directly(stage.undo(1, saw="indoubt"), stage.undo(5, saw="indoubt"))
    assert await stage.outcomes(5) == ["undone"]
    assert await stage.outcomes(1) == []


async def test_an_undo_of_a_call_that_never_arrived(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    await never_arrived(stage, bank)
    await redelivered(stage, stage.undo(1, saw="indoubt"))
    assert await stage.outcomes(1) == ["undo_noop"]
    assert await open_intents(stage) == 0
    await stage.handle_directly(stage.action(1))
    assert await stage.outcomes(1) == ["undo_noop", "blocked"]
    assert bank.charged == {}


async def test_an_undo_whose_own_call_is_open(stage: Stage, bank: Bank, shop: PayingShop) -> None:
    await stage.handle_directly(stage.action(1))
    bank.moods = {1: "silent"}
    await died_while_calling(stage, bank, stage.undo(1))
    await redelivered(stage, stage.undo(1))
    assert bank.calls == {"1 action": 1, "1 undo": 1}
    assert await stage.effects() == {(1, "reserved"): 1, (1, "released"): 1}


async def test_a_revoke_of_a_call_that_took_place(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "silent"}
    await died_while_calling(stage, bank, stage.action(1))
    await redelivered(stage, stage.revoke(1))
    assert await stage.outcomes(1) == ["succeeded"]
    assert await stage.effects() == {(1, "reserved"): 1}


async def test_a_revoke_of_a_call_that_never_arrived(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    await never_arrived(stage, bank)
    await redelivered(stage, stage.revoke(1))
    assert await stage.outcomes(1) == ["blocked"]
    assert (bank.charged, await open_intents(stage)) == ({}, 0)
