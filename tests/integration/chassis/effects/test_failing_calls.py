"""A call that fails, or has no answer, is its own record's matter and no neighbour's."""

from contextlib import suppress

import pytest

from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.dying import (
    WITHIN_S,
    open_intents,
    redelivered,
    time_passes,
)
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage


async def test_a_record_whose_call_fails_is_parked_and_its_neighbours_are_not(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {5: "mad"}
    await stage.handle_directly(stage.action(1), stage.action(5), stage.action(9))
    assert await stage.parked() == [(5, "JSONDecodeError")]
    assert await stage.outcomes(5) == ["parked"]
    assert await stage.effects() == {(1, "reserved"): 1, (9, "reserved"): 1}
    assert bank.charged["1 action"] == bank.charged["9 action"] == 1


async def test_an_answer_that_cant_be_read_is_asked_for_before_another_call(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {5: "garbled"}
    await stage.handle_directly(stage.action(5))
    assert await stage.outcomes(5) == ["succeeded"]
    assert bank.calls == {"5 action": 1}


async def test_what_is_parked_after_its_call_can_be_undone_later(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    shop.broken = {1}
    await stage.handle_directly(stage.action(1), stage.action(5))
    assert await stage.parked() == [(1, "ValueError")]
    assert await open_intents(stage) == 1  # charged, and nobody has settled it
    shop.broken.clear()
    await stage.query("DELETE FROM sagaline.parked")
    await stage.query("UPDATE sagaline.positions SET parked_keys = 0")
    await stage.handle_directly(stage.undo(1, saw="indoubt"))
    assert bank.charged == {"1 action": 1, "5 action": 1, "1 undo": 1}
    assert await stage.outcomes(1) == ["parked", "undone"]


async def test_a_record_whose_intent_fails_is_parked_uncalled(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    await stage.handle_directly(stage.action(2), stage.action(666), stage.action(6))
    assert await stage.parked() == [(666, "ValueError")]
    assert bank.calls == {"2 action": 1, "6 action": 1}


async def test_half_of_a_batch_has_no_answer(stage: Stage, bank: Bank, shop: PayingShop) -> None:
    bank.moods = {5: "away", 6: "away"}
    batch, cursors = await stage.delivered(*(stage.action(number) for number in range(1, 13)))
    inbox = stage.inbox()
    for _ in range(3):
        with pytest.raises((ProviderUnavailable, Overtaken)):
            await inbox.handle(cursors.left_of(batch), cursors)
    answered = {each.order for each in await stage.answers()}
    assert answered  # neighbours of 5 and 6, also behind them
    assert not {5, 6} & answered
    assert await stage.parked() == []
    before = await stage.positions()
    bank.moods.clear()
    await time_passes(stage)

    async def handled() -> bool:
        with suppress(Overtaken):
            await inbox.handle(cursors.left_of(batch), cursors)
        return not cursors.left_of(batch)

    await eventually(handled, what="handled", within_s=WITHIN_S)
    assert await stage.effects() == {(number, "reserved"): 1 for number in range(1, 13)}
    assert sorted(each.order for each in await stage.answers()) == list(range(1, 13))  # once each
    assert set(bank.charged.values()) == {1}
    calls = {name: count for name, count in bank.calls.items() if count > 1}
    assert set(calls) <= {"5 action", "6 action"}  # nobody is called for twice for a neighbour
    assert before != await stage.positions() == stage.ends


async def test_a_neighbour_that_was_settled_early_is_not_forgotten_by_the_next_process(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "away"}
    with pytest.raises(ProviderUnavailable):
        await stage.handle_directly(stage.action(1), stage.action(5))
    assert await stage.effects() == {(5, "reserved"): 1}
    assert await stage.positions() == {1: 0}
    bank.moods.clear()
    await time_passes(stage)
    await redelivered(stage, stage.action(1), stage.action(5))
    assert await stage.effects() == {(1, "reserved"): 1, (5, "reserved"): 1}
    assert bank.calls["5 action"] == 1
