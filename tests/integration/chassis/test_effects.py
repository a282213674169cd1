"""Effects: what is charged outside is charged once, whatever dies, hangs or is away in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
import pytest_asyncio

from sagaline.chassis import wiring
from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.dead_letters import Dealt
from sagaline.chassis.effects import Call
from sagaline.chassis.envelope import call_key
from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from sagaline.chassis.interventions import Mandate
from sagaline.chassis.parking import Queue
from sagaline.chassis.positions import Fenced
from schemas.messages import CommitStock
from tests.integration.chassis.bank import Bank
from tests.integration.chassis.parcels import PARTITIONS, STEP, Parcel, order, saga
from tests.integration.chassis.paying_shop import PayingShop
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.shop import once
from tests.integration.chassis.stage import Stage, running

WITHIN_S = 40


@pytest_asyncio.fixture
async def bank() -> AsyncIterator[Bank]:
    async with Bank().open() as bank:
        yield bank


@pytest_asyncio.fixture
async def shop(stage: Stage, bank: Bank) -> PayingShop:
    stage.shop = PayingShop(bank)
    return stage.shop


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


async def open_intents(stage: Stage) -> int:
    return len(await stage.query("SELECT 1 FROM sagaline.intent"))


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


# Deaths


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
    bank.moods = {1: "away"}
    with pytest.raises(ProviderUnavailable):
        await stage.handle_directly(stage.action(1))
    bank.moods.clear()
    await stage.query("UPDATE sagaline.intent SET deadline_at = now() - interval '1 hour'")
    ask = shop.charges.find

    async def ask_and_lose(call: Call[Message]) -> bool | None:
        found = await ask(call)
        await stage.delivered(stage.action(1))  # another process claims the partition
        return found

    monkeypatch.setattr(shop.charges, "find", ask_and_lose)
    with pytest.raises(Fenced):  # the other one may take the old deadline for the last
        await stage.handle_directly(stage.action(1))
    assert bank.calls == {"1 action": 1}


# What comes while an intent is open


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
    bank.moods = {1: "away"}
    with pytest.raises(ProviderUnavailable):
        await stage.handle_directly(stage.action(1))
    bank.moods.clear()
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
    bank.moods = {1: "away"}
    with pytest.raises(ProviderUnavailable):
        await stage.handle_directly(stage.action(1))
    bank.moods.clear()
    await redelivered(stage, stage.revoke(1))
    assert await stage.outcomes(1) == ["blocked"]
    assert (bank.charged, await open_intents(stage)) == ({}, 0)


# Where nobody can be asked


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


# Faults


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
    await redelivered(stage, stage.action(1), stage.action(5))
    assert await stage.effects() == {(1, "reserved"): 1, (5, "reserved"): 1}
    assert bank.calls["5 action"] == 1


# Through a whole consumer


async def test_a_provider_that_is_away_parks_nobody(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.mood = "away"
    orders = range(1, 41)
    await stage.send(*(stage.action(number) for number in orders))
    service = stage.running(kafka_session_timeout_ms=10_000)  # rebalances are no matter here
    tables = {stage.commands: shop.handlers}

    async def readiness() -> str:
        return str((await service.health.problems())["bank"])

    async def names_the_bank() -> bool:
        return (await readiness()).startswith("bank can't be used now")

    consumer = wiring.consumer_of(service, tables, wiring.inbox_of(service, tables))
    async with running(consumer):
        await eventually(names_the_bank, what="it says who is away", within_s=WITHIN_S)
        await eventually(lambda: bank.asked.total() >= 3, what="probes", within_s=WITHIN_S)
        assert await stage.answers() == []
        bank.mood = "well"
        await stage.all_read(within_s=2 * WITHIN_S)
        await eventually(lambda: consumer.healthy, what="healthy", within_s=WITHIN_S)
        assert await readiness() == "None"
    assert await stage.effects() == {(number, "reserved"): 1 for number in orders}
    assert await stage.parked() == []
    assert set(bank.charged.values()) == {1}


async def test_a_provider_that_is_slower_than_the_deadline(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "silent"}
    await stage.handle_all(stage.action(1), stage.action(2), within_s=WITHIN_S)
    assert await stage.effects() == {(1, "reserved"): 1, (2, "reserved"): 1}
    assert await stage.parked() == []
    assert bank.calls == {"1 action": 1, "2 action": 1}  # asked about, not called again


async def test_plain_commands_on_the_same_topic(stage: Stage, bank: Bank, shop: PayingShop) -> None:
    commit = stage.parcel(2, CommitStock(order_id=order(2)), "action", 1, step="commit_stock")
    await stage.handle_directly(stage.action(1), commit)
    assert await stage.effects() == {(1, "reserved"): 1, (2, "committed"): 1}
    assert bank.calls == {"1 action": 1}


# What operators take up again


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


async def test_a_consumer_that_stops_ends_what_it_called_for_and_calls_for_no_more(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    orders = range(1, 41)
    bank.mood = "silent"
    await stage.send(*(stage.action(number) for number in orders))
    async with stage.consuming(
        revoke_timeout_ms=30_000, kafka_session_timeout_ms=10_000
    ) as consumer:
        async with asyncio.timeout(WITHIN_S):
            await bank.arrived.wait()
        session = consumer._session
        assert session is not None
        leaving = asyncio.create_task(session.close())
        await eventually(lambda: session._holding.cursors.leaving, what="it leaves")
        bank.mood = "well"
        bank.let_go.set()
        await leaving
        called = set(bank.calls)
        assert 0 < len(called) <= shop.port.calls_max
        assert await open_intents(stage) == 0
    await stage.handle_all(within_s=WITHIN_S)
    assert await stage.effects() == {(number, "reserved"): 1 for number in orders}
    assert set(bank.calls.values()) == {1}
