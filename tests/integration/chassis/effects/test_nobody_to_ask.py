"""Where nobody can be asked what became of a call, it is made again under its key."""

from sagaline.chassis.envelope import call_key
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.dying import died_while_calling
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.parcels import STEP, saga
from tests.integration.chassis.stage import Stage


async def test_a_call_in_doubt_is_made_again_where_nobody_can_be_asked(
    stage: Stage, bank: Bank
) -> None:
    stage.shop = PayingShop(bank, asks=False)
    bank.moods = {1: "silent"}
    await died_while_calling(stage, bank, stage.action(1))
    bank.moods.clear()
    await stage.handle_directly(stage.action(1))
    assert (bank.calls, bank.asked) == ({"1 action": 2}, {})
    assert set(bank.charges) == {str(call_key(saga(1), STEP, "action"))}  # the key is the same
    assert await stage.outcomes(1) == ["succeeded"]


async def test_an_undo_calls_its_action_first_where_nobody_can_be_asked(
    stage: Stage, bank: Bank
) -> None:
    stage.shop = PayingShop(bank, asks=False)
    bank.moods = {1: "silent"}
    await died_while_calling(stage, bank, stage.action(1))
    bank.moods.clear()
    await stage.handle_directly(stage.undo(1, saw="indoubt"))
    assert await stage.effects() == {(1, "reserved"): 1, (1, "released"): 1}
    assert await stage.outcomes(1) == ["undone"]
