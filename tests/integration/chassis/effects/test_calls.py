"""Effects: what is called for is settled and answered, once, beside plain commands."""

from sagaline.chassis.envelope import call_key
from schemas.messages import CommitStock
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.dying import open_intents
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.parcels import STEP, order, saga
from tests.integration.chassis.stage import Stage


async def test_what_was_called_for_is_settled_and_answered(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    await stage.handle_directly(*(stage.action(number) for number in range(1, 21)))
    assert await stage.effects() == {(number, "reserved"): 1 for number in range(1, 21)}
    assert {each.outcome for each in await stage.answers()} == {"succeeded"}
    assert set(bank.charges) == {
        str(call_key(saga(number), STEP, "action")) for number in range(1, 21)
    }
    assert sorted(shop.intended) == list(range(1, 21))
    assert await open_intents(stage) == 0


async def test_a_refusal_of_the_other_side_is_the_replys_to_say(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {5: "declining"}
    await stage.handle_directly(stage.action(1), stage.action(5))
    assert await stage.outcomes(5) == ["refused"]
    assert await stage.outcomes(1) == ["succeeded"]
    await stage.handle_directly(stage.undo(5, saw="indoubt"))
    assert await stage.outcomes(5) == ["refused", "undo_noop"]
    assert bank.calls["5 undo"] == 0


async def test_a_duplicate_is_answered_without_a_call(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    await stage.handle_directly(stage.action(1), stage.action(1))
    await stage.handle_directly(stage.action(1))
    assert await stage.outcomes(1) == ["succeeded", "succeeded"]
    assert bank.calls["1 action"] == 1


async def test_plain_commands_on_the_same_topic(stage: Stage, bank: Bank, shop: PayingShop) -> None:
    commit = stage.parcel(2, CommitStock(order_id=order(2)), "action", 1, step="commit_stock")
    await stage.handle_directly(stage.action(1), commit)
    assert await stage.effects() == {(1, "reserved"): 1, (2, "committed"): 1}
    assert bank.calls == {"1 action": 1}
