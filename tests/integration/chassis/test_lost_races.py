"""Two have the same command in hand and neither claimed it: the second rolls back, and looks again.

Such two read different partitions, as when a topic's count has changed: in one, the position
keeps them apart.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from asyncpg import UniqueViolationError

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.chassis.faults import passing
from tests.integration.chassis.parcels import Parcel
from tests.integration.chassis.shop import once
from tests.integration.chassis.stage import Stage


def elsewhere(parcel: Parcel) -> Parcel:
    """The same command in another partition."""
    return replace(parcel, partition=parcel.partition + 1)


async def lose(stage: Stage, parcel: Parcel, *winners: Parcel) -> None:
    """The command is executed, and before it is committed others are handled and are."""

    async def handle() -> None:
        async with stage.database.transaction() as tx:
            await stage.handler().handle(tx, [stage.record(parcel)], fenced=True)
            await stage.handle_directly(*winners)

    with pytest.raises(UniqueViolationError) as lost:
        await handle()
    assert passing(lost.value)


async def test_the_later_of_two_executions_is_rolled_back(stage: Stage) -> None:
    await lose(stage, stage.action(1), elsewhere(stage.action(1)))
    await stage.handle_directly(stage.action(1))
    assert await stage.effects() == {(1, "reserved"): 1}
    assert await stage.outcomes(1) == ["succeeded", "succeeded"]


@pytest.mark.parametrize("closing", ["undo", "revoke"])
async def test_an_action_that_was_closed_meanwhile_has_no_effect(
    stage: Stage, closing: str
) -> None:
    closer = stage.undo(1, saw="indoubt") if closing == "undo" else stage.revoke(1)
    await lose(stage, stage.action(1), elsewhere(closer))
    await stage.handle_directly(stage.action(1))
    assert await stage.effects() == {}
    assert (await stage.outcomes(1))[-1] == "blocked"


async def test_the_neighbours_of_a_lost_race_are_handled_once(stage: Stage) -> None:
    async def duplicate(_: Transaction, __: Sequence[Message]) -> None:
        async with stage.database.transaction() as tx:
            await stage.handler().handle(tx, [stage.record(elsewhere(stage.action(1)))])

    stage.shop.after = once(duplicate)
    await stage.handle_all(*(stage.action(number) for number in (1, 5, 9)))
    assert await stage.effects() == {(number, "reserved"): 1 for number in (1, 5, 9)}
    assert await stage.outcomes(1) == ["succeeded", "succeeded"]
    assert await stage.parked() == []


async def test_an_undo_that_finds_no_trace_of_its_action_stops_none(stage: Stage) -> None:
    async with stage.database.transaction() as tx:
        await stage.handler().handle(tx, [stage.record(stage.action(1))], fenced=True)
        await stage.handle_directly(elsewhere(stage.undo(1, saw="done")))
    assert await stage.effects() == {(1, "reserved"): 1}
    assert await stage.barrier() == {(1, "action"): "done", (1, "undo"): "refused"}
