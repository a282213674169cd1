"""Commands with effects that were parked, and that operators take up again."""

from contextlib import suppress

import pytest

from sagaline.chassis import wiring
from sagaline.chassis.dead_letters import Dealt
from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from sagaline.chassis.interventions import Mandate
from sagaline.chassis.parking import Queue
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.dying import WITHIN_S, open_intents, time_passes
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.parcels import PARTITIONS, order
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage


async def test_a_parked_command_is_called_for_when_it_is_redriven(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {5: "mad"}
    await stage.handle_directly(stage.action(5), stage.undo(5))
    bank.moods = {5: "away"}
    with pytest.raises(ProviderUnavailable):  # of the undo's call; the action is asked about
        await redriven(stage, 5)
    assert await stage.effects() == {(5, "reserved"): 1}
    bank.moods.clear()
    await time_passes(stage)
    await eventually(lambda: settled(stage), what="settled", within_s=WITHIN_S)
    assert await stage.outcomes(5) == ["parked", "parked", "succeeded", "undone"]
    assert bank.charged == {"5 action": 1, "5 undo": 1}
    assert await open_intents(stage) == 0


async def test_a_parked_command_that_fails_again_stays_parked(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {5: "mad"}
    await stage.handle_directly(stage.action(5))
    dealt = await redriven(stage, 5)
    assert (dealt.done, dealt.left, dealt.error_class) == (0, 1, "JSONDecodeError")
    assert await stage.parked() == [(5, "JSONDecodeError")]


async def settled(stage: Stage) -> bool:
    with suppress(Overtaken):
        await redriven(stage, 5)
    return await stage.parked() == []


async def redriven(stage: Stage, number: int) -> Dealt:
    tables, service = {stage.commands: stage.shop.handlers}, stage.running()
    letters = wiring.dead_letters_of(service, tables, wiring.inbox_of(service, tables))
    queue = Queue(stage.commands, number % PARTITIONS, str(order(number)))
    return await letters.redrive(queue, Mandate(who="ada", reason="mended"), records_max=10)
