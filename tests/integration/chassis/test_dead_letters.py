"""Parked records are handled again in order, or given up, and everybody concerned hears of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sagaline.chassis import wiring
from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.dead_letters import DeadLetters, Dealt
from sagaline.chassis.faults import passing
from sagaline.chassis.interventions import Mandate
from sagaline.chassis.parking import Queue
from tests.integration.chassis.parcels import PARTITIONS, STEP, Parcel, order, saga
from tests.integration.chassis.shop import once
from tests.integration.chassis.stage import Stage

ADA = Mandate(who="ada", reason="the release of Tuesday")
MANY = 100


def letters_of(stage: Stage) -> DeadLetters:
    """What operators of the shop have in hand; another process than the consumer's, as it were."""
    tables = {stage.commands: stage.shop.handlers}
    running = stage.running()
    return wiring.dead_letters_of(running, tables, wiring.inbox_of(running, tables))


def queue(stage: Stage, number: int) -> Queue:
    return Queue(stage.commands, number % PARTITIONS, str(order(number)))


async def redriven(stage: Stage, number: int, *, records_max: int = MANY) -> Dealt:
    return await letters_of(stage).redrive(queue(stage, number), ADA, records_max=records_max)


async def discarded(stage: Stage, number: int) -> Dealt:
    return await letters_of(stage).discard(queue(stage, number), ADA, records_max=MANY)


async def interventions(stage: Stage) -> list[tuple[object, ...]]:
    return await stage.query(
        "SELECT verb, outcome, who, reason FROM sagaline.interventions ORDER BY id"
    )


def undecodable(stage: Stage, number: int) -> Parcel:
    return replace(stage.action(number), value=b"\x00 no Avro")


async def broken_one(stage: Stage, *behind: Parcel) -> None:
    """Order 1's action is parked, and `behind` it what came later; by now it could be handled."""
    stage.shop.broken = {1}
    await stage.handle_directly(stage.action(1), *behind)
    stage.shop.broken.clear()


async def test_a_key_is_handled_in_order_and_free_afterwards(stage: Stage) -> None:
    await broken_one(stage, stage.undo(1), stage.action(5))
    assert await redriven(stage, 1) == Dealt(queue(stage, 1), done=2, left=0)
    assert await stage.outcomes(1) == ["parked", "parked", "succeeded", "undone"]
    assert await stage.parked() == []
    assert await stage.parked_keys() == {}
    await stage.handle_directly(stage.action(1))
    assert await stage.parked() == []
    assert (await stage.effects())[1, "reserved"] == 1
    assert await interventions(stage) == [("redrive", "done", *_ada())] * 2


def _ada() -> tuple[object, ...]:
    return (ADA.who, ADA.reason)


async def test_a_record_that_comes_while_its_key_is_redriven_keeps_its_place(stage: Stage) -> None:
    await broken_one(stage, stage.revoke(1))
    came: list[asyncio.Task[None]] = []

    async def one_comes(tx: Transaction, batch: Sequence[Message]) -> None:
        came.append(asyncio.create_task(stage.handle_directly(stage.undo(1))))
        await stage.wait_for_locks(1)

    stage.shop.before = once(one_comes)
    done = (await redriven(stage, 1)).done
    await came[0]
    # It may have parked behind the revoke in time, or found the key free; but never overtaken.
    done += (await redriven(stage, 1)).done
    assert done in (2, 3)
    told = [outcome for outcome in await stage.outcomes(1) if outcome != "parked"]
    assert told == ["succeeded", "succeeded", "undone"]  # the revoke hears of the action
    assert await stage.parked_keys() == {}


async def test_what_fails_again_stays_with_its_new_error_and_its_key_shut(stage: Stage) -> None:
    await broken_one(stage, stage.undo(1))
    stage.shop.broken, stage.shop.error = {1}, KeyError("another one")
    dealt = await redriven(stage, 1)
    assert (dealt.done, dealt.left, dealt.error_class) == (0, 2, "KeyError")
    await stage.handle_directly(stage.revoke(1))
    assert await stage.parked() == [(1, "KeyError"), (1, "Behind"), (1, "Behind")]
    assert await stage.parked_keys() == {1: 1}
    assert await stage.effects() == {}
    rows = await stage.query('SELECT redrives FROM sagaline.parked ORDER BY "offset"')
    assert rows == [(1,), (0,), (0,)]
    assert await interventions(stage) == [("redrive", "failed", *_ada())]


async def test_a_key_stays_shut_behind_the_record_that_failed(stage: Stage) -> None:
    await broken_one(stage, undecodable(stage, 1), stage.undo(1))
    dealt = await redriven(stage, 1)
    assert (dealt.done, dealt.left, dealt.error_class) == (1, 2, "UndecodableRecord")
    assert await stage.effects() == {(1, "reserved"): 1}
    assert await stage.parked() == [(1, "UndecodableRecord"), (1, "Behind")]
    assert await stage.parked_keys() == {1: 1}


async def test_so_many_records_and_not_one_more(stage: Stage) -> None:
    await broken_one(stage, stage.undo(1), stage.revoke(1))
    dealt = await redriven(stage, 1, records_max=2)
    assert (dealt.done, dealt.left, dealt.error) == (2, 1, None)
    assert await stage.parked_keys() == {1: 1}


async def test_two_operators_at_once_handle_each_record_once(stage: Stage) -> None:
    stage.shop.broken = {1}
    parcels = [parcel for _ in range(5) for parcel in (stage.action(1), stage.undo(1))]
    await stage.handle_directly(*parcels)
    stage.shop.broken.clear()
    both = await asyncio.gather(*(redriven(stage, 1) for _ in range(2)))
    assert sum(dealt.done for dealt in both) == len(parcels)
    assert await stage.effects() == {(1, "reserved"): 1, (1, "released"): 1}
    assert await stage.parked_keys() == {}
    assert len(await interventions(stage)) == len(parcels)


async def test_a_redrive_whose_session_is_killed_leaves_nothing_half_done(stage: Stage) -> None:
    await broken_one(stage)

    async def die(tx: Transaction, batch: Sequence[Message]) -> None:
        ((pid,),) = await tx.fetch("SELECT pg_backend_pid()")
        await stage.query("SELECT pg_terminate_backend(:pid)", {"pid": pid})

    stage.shop.after = once(die)
    with pytest.raises(Exception) as lost:
        await redriven(stage, 1)
    assert passing(lost.value)
    assert await stage.effects() == {}
    assert await stage.parked() == [(1, "ValueError")]  # and not what passed
    assert await interventions(stage) == []
    assert (await redriven(stage, 1)).done == 1
    assert await stage.effects() == {(1, "reserved"): 1}


async def test_a_discarded_command_is_refused_for_good_and_its_saga_told(stage: Stage) -> None:
    await broken_one(stage)
    assert await discarded(stage, 1) == Dealt(queue(stage, 1), done=1, left=0)
    await stage.handle_directly(stage.action(1))
    await stage.handle_directly(stage.undo(1, saw="indoubt"))
    assert await stage.outcomes(1) == ["parked", "discarded", "discarded", "undo_noop"]
    assert len({a.message_id for a in await stage.answers() if a.outcome == "discarded"}) == 1
    assert await stage.effects() == {}
    assert await stage.parked_keys() == {}
    assert await interventions(stage) == [("discard", "done", *_ada())]


async def test_an_operators_retry_runs_what_was_discarded_before(stage: Stage) -> None:
    await broken_one(stage)
    await discarded(stage, 1)
    await stage.handle_directly(stage.action(1, generation=2))
    assert await stage.effects() == {(1, "reserved"): 1}


async def test_a_discarded_undo_leaves_the_effect(stage: Stage) -> None:
    await stage.handle_directly(stage.action(1))
    await stage.handle_directly(replace(stage.undo(1), value=b"\x00"))
    await discarded(stage, 1)
    assert await stage.outcomes(1) == ["succeeded", "parked", "discarded"]
    assert await stage.effects() == {(1, "reserved"): 1}


async def test_a_discarded_duplicate_of_what_was_done_is_answered_as_it_was(stage: Stage) -> None:
    await stage.handle_directly(stage.action(1))
    await stage.handle_directly(undecodable(stage, 1))
    await discarded(stage, 1)
    assert await stage.outcomes(1) == ["succeeded", "parked", "succeeded"]


async def test_a_discarded_revoke_refuses_nothing(stage: Stage) -> None:
    await stage.handle_directly(replace(stage.revoke(1), value=b"\x00"))
    await discarded(stage, 1)
    (parked, told) = [(a.outcome, a.direction) for a in await stage.answers()]
    assert (parked, told) == (("parked", "revoke"), ("discarded", "revoke"))
    await stage.handle_directly(stage.action(1))
    assert await stage.effects() == {(1, "reserved"): 1}


@pytest.mark.parametrize("direction", ["action", "undo"])
async def test_what_the_outside_may_have_done_can_not_be_discarded(
    stage: Stage, direction: str
) -> None:
    await stage.handle_directly(replace(stage.undo(1), value=b"\x00"))
    await stage.query(
        "INSERT INTO sagaline.intent (saga_id, step, direction, generation, command, deadline_at)"
        " VALUES (:saga, :step, :direction, 1, '', clock_timestamp())",
        {"saga": saga(1), "step": STEP, "direction": direction},
    )
    dealt = await discarded(stage, 1)
    assert (dealt.done, dealt.left, dealt.error_class) == (0, 1, "MayHaveHappened")
    assert await stage.outcomes(1) == ["parked"]
    assert await interventions(stage) == []


@pytest.mark.parametrize("header", ["ce_id", "ce_sagaid", "ce_specversion"])
async def test_a_discarded_record_that_names_no_saga_is_gone(stage: Stage, header: str) -> None:
    await stage.handle_directly(stage.action(1).with_headers(**{header: None}))
    assert (await discarded(stage, 1)).done == 1
    assert await stage.answers() == []
    assert await stage.parked_keys() == {}


async def test_a_key_in_two_partitions_is_two_queues(stage: Stage) -> None:
    stray = replace(undecodable(stage, 1), partition=2)
    await stage.handle_directly(undecodable(stage, 1), stray)
    assert await stage.parked_keys() == {1: 1, 2: 1}
    assert (await discarded(stage, 1)).done == 1
    assert await stage.parked_keys() == {2: 1}
