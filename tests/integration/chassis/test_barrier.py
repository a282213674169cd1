"""Commands in every order that retries and delays can bring them in."""

import asyncio

import pytest

from sagaline.chassis.envelope import Record, command_id, reply_id
from tests.integration.chassis.parcels import STEP, Parcel, saga
from tests.integration.chassis.stage import Stage


class Participant:
    """A service that handles one command after the other."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def gets(self, *parcels: Parcel) -> list[tuple[str, str | None]]:
        """Deliver the commands, a batch each; the answers' outcomes and codes, in order."""
        before = len(await self.stage.answers())
        for parcel in parcels:
            await self.stage.handle_directly(parcel)
        return [(each.outcome, each.code) for each in (await self.stage.answers())[before:]]

    async def effects(self) -> dict[str, int]:
        """How often each effect of order 1 happened."""
        return {what: count for (_, what), count in (await self.stage.effects()).items()}


@pytest.fixture
def participant(stage: Stage) -> Participant:
    return Participant(stage)


async def test_an_action_and_its_undo(stage: Stage, participant: Participant) -> None:
    assert await participant.gets(stage.action(1)) == [("succeeded", None)]
    assert await participant.gets(stage.undo(1)) == [("undone", None)]
    assert await participant.gets(stage.undo(1), stage.action(1)) == [
        ("undone", None),
        ("succeeded", None),
    ]
    assert await participant.effects() == {"reserved": 1, "released": 1}


async def test_an_undo_that_overtakes_its_action(stage: Stage, participant: Participant) -> None:
    assert await participant.gets(stage.undo(1, saw="indoubt")) == [
        ("undo_noop", "nothing_to_undo")
    ]
    assert await participant.gets(stage.action(1)) == [("blocked", "revoked")]
    assert await participant.gets(stage.undo(1, saw="indoubt")) == [
        ("undo_noop", "nothing_to_undo")
    ]
    assert await participant.gets(stage.action(1, generation=2)) == [("blocked", "revoked")]
    assert await participant.effects() == {}


async def test_an_undo_before_its_action_in_one_batch(stage: Stage) -> None:
    await stage.handle_all(stage.undo(1, saw="indoubt"), stage.action(1), stage.action(2))
    assert await stage.outcomes(1) == ["undo_noop", "blocked"]
    assert await stage.effects() == {(2, "reserved"): 1}


async def test_an_undo_in_doubt_of_an_action_that_came(
    stage: Stage, participant: Participant
) -> None:
    await participant.gets(stage.action(1))
    assert await participant.gets(stage.undo(1, saw="indoubt")) == [("undone", None)]
    assert await participant.effects() == {"reserved": 1, "released": 1}


async def test_an_undo_of_what_was_done_and_is_forgotten(
    stage: Stage, participant: Participant
) -> None:
    refused = [("undo_refused", "barrier_missing")]
    assert await participant.gets(stage.undo(1, saw="done")) == refused
    assert await stage.barrier() == {(1, "undo"): "refused"}  # of the action there is no row
    assert await participant.gets(stage.undo(1, saw="done")) == refused
    assert await participant.effects() == {}


async def test_a_forgotten_action_that_an_operator_knows_to_be_undone(
    stage: Stage, participant: Participant
) -> None:
    await participant.gets(stage.undo(1, saw="done"))
    noop = [("undo_noop", "nothing_to_undo")]
    assert await participant.gets(stage.undo(1, saw="indoubt", generation=2)) == noop
    assert await participant.gets(stage.action(1)) == [("blocked", "revoked")]
    assert await stage.barrier() == {(1, "undo"): "done", (1, "action"): "blocked"}


async def test_an_undo_of_a_refused_action(stage: Stage, participant: Participant) -> None:
    stage.shop.refused = {1}
    assert await participant.gets(stage.action(1)) == [("refused", "out_of_stock")]
    noop = [("undo_noop", "nothing_to_undo")]
    assert await participant.gets(stage.undo(1, saw="indoubt")) == noop
    stage.shop.refused.clear()
    assert await participant.gets(stage.action(1), stage.action(1, generation=2)) == [
        ("blocked", "revoked"),
        ("blocked", "revoked"),
    ]
    assert await participant.effects() == {}


async def test_a_refused_action_that_is_tried_again(stage: Stage, participant: Participant) -> None:
    stage.shop.refused = {1}
    no = [("refused", "out_of_stock")]
    assert await participant.gets(stage.action(1)) == no
    stage.shop.refused.clear()
    assert await participant.gets(stage.action(1)) == no  # a duplicate, and no retry
    assert await participant.gets(stage.action(1, generation=2)) == [("succeeded", None)]
    assert await participant.gets(stage.action(1)) == [("succeeded", None)]
    assert await participant.gets(stage.action(1, generation=3)) == [("succeeded", None)]
    assert [each.generation for each in await stage.answers()] == [1, 1, 2, 2, 3]
    assert await participant.effects() == {"reserved": 1}


async def test_a_revoke_before_its_action(stage: Stage, participant: Participant) -> None:
    assert await participant.gets(stage.revoke(1)) == [("blocked", "revoked")]
    assert await participant.gets(stage.action(1), stage.revoke(1)) == [
        ("blocked", "revoked"),
        ("blocked", "revoked"),
    ]
    assert await participant.effects() == {}
    blocked = reply_id(command_id(saga(1), STEP, "action", 1), "blocked")
    assert {(each.message_id, each.direction) for each in await stage.answers()} == {
        (blocked, "action")
    }


async def test_a_revoke_after_its_action(stage: Stage, participant: Participant) -> None:
    assert await participant.gets(stage.action(1), stage.revoke(1)) == [
        ("succeeded", None),
        ("succeeded", None),
    ]
    action, revoke = await stage.answers()
    assert action == revoke
    assert await participant.effects() == {"reserved": 1}


async def test_a_revoke_after_a_refusal(stage: Stage, participant: Participant) -> None:
    stage.shop.refused = {1}
    await participant.gets(stage.action(1))
    assert await participant.gets(stage.revoke(1)) == [("refused", "out_of_stock")]


async def test_a_revoke_of_a_retry_that_never_came(stage: Stage, participant: Participant) -> None:
    # The old no is not the answer to the retry: `refused` counts from its own generation only.
    stage.shop.refused = {1}
    await participant.gets(stage.action(1))
    stage.shop.refused.clear()
    assert await participant.gets(stage.revoke(1, generation=2)) == [("blocked", "revoked")]
    assert await participant.gets(stage.action(1, generation=2)) == [("blocked", "revoked")]
    assert await participant.effects() == {}


async def test_an_undo_that_does_not_say_what_its_saga_saw(
    stage: Stage, participant: Participant
) -> None:
    # Taken for `indoubt` it would be a silent no-op where the action had an effect.
    await participant.gets(stage.undo(1).with_headers(ce_sagaaction=None))
    await participant.gets(stage.undo(2).with_headers(ce_sagaaction="perhaps"))
    assert sorted(await stage.parked()) == [(1, "MalformedEnvelope"), (2, "MalformedEnvelope")]
    assert await stage.barrier() == {}


# The race: an action is held open in one connection while others want the same rows.


class Held:
    """A transaction that has executed its command and is not committed."""

    def __init__(self, stage: Stage, parcel: Parcel) -> None:
        self._stage = stage
        self._parcel = parcel
        self._executed = asyncio.Event()
        self._let_go = asyncio.Event()
        self._fails = False

    async def run(self) -> None:
        async with self._stage.database.transaction() as tx:
            await self._stage.handler().handle(tx, [self._stage.record(self._parcel)])
            self._executed.set()
            await self._let_go.wait()
            if self._fails:
                raise ConnectionResetError("the process dies here")

    async def executed(self) -> "Held":
        await self._executed.wait()
        return self

    def commit(self) -> None:
        self._let_go.set()

    def roll_back(self) -> None:
        self._fails = True
        self._let_go.set()


async def race(stage: Stage, held: Parcel, *others: Parcel, commits: bool) -> None:
    """`held` is open while `others` come, each in a connection of its own; then it ends."""
    first = Held(stage, held)
    async with asyncio.timeout(20):
        task = asyncio.create_task(first.run())
        await first.executed()
        rest = []
        for count, parcel in enumerate(others, start=1):
            other = Held(stage, parcel)
            other.commit()
            rest.append(asyncio.create_task(other.run()))
            await stage.wait_for_locks(count)
        first.commit() if commits else first.roll_back()
        await asyncio.gather(task, return_exceptions=not commits)
        await asyncio.gather(*rest)


async def test_duplicate_and_undo_wait_for_the_action_in_hand(stage: Stage) -> None:
    await race(stage, stage.action(1), stage.action(1), stage.undo(1, saw="indoubt"), commits=True)
    assert await stage.effects() == {(1, "reserved"): 1, (1, "released"): 1}
    assert sorted(await stage.outcomes(1)) == ["succeeded", "succeeded", "undone"]
    assert await stage.barrier() == {(1, "action"): "done", (1, "undo"): "done"}


async def test_the_duplicate_acts_when_the_action_in_hand_is_lost(stage: Stage) -> None:
    await race(stage, stage.action(1), stage.action(1), stage.undo(1, saw="indoubt"), commits=False)
    # Which of the two comes first is PostgreSQL's to say; both orders are right.
    effects, outcomes = await stage.effects(), sorted(await stage.outcomes(1))
    assert (effects, outcomes) in (
        ({(1, "reserved"): 1, (1, "released"): 1}, ["succeeded", "undone"]),
        ({}, ["blocked", "undo_noop"]),
    )


async def test_the_action_waits_for_the_undo_in_hand(stage: Stage) -> None:
    undo = stage.undo(1, saw="indoubt")
    await race(stage, undo, stage.action(1), stage.action(1), commits=True)
    assert await stage.effects() == {}
    assert await stage.outcomes(1) == ["undo_noop", "blocked", "blocked"]


async def test_the_action_waits_for_an_undo_that_leaves_no_row_for_it(stage: Stage) -> None:
    # The row that the action waits for is deleted: it has to insert its own, and not to miss it.
    await race(stage, stage.undo(1, saw="done"), stage.action(1), commits=True)
    assert await stage.effects() == {(1, "reserved"): 1}
    assert await stage.outcomes(1) == ["undo_refused", "succeeded"]
    assert await stage.barrier() == {(1, "action"): "done", (1, "undo"): "refused"}


async def test_a_revoke_waits_for_the_action_in_hand(stage: Stage) -> None:
    await race(stage, stage.action(1), stage.revoke(1), commits=True)
    assert await stage.outcomes(1) == ["succeeded", "succeeded"]
    await race(stage, stage.action(2), stage.revoke(2), commits=False)
    assert await stage.outcomes(2) == ["blocked"]
    assert await stage.effects() == {(1, "reserved"): 1}


async def test_batches_over_the_same_sagas_wait_and_never_deadlock(stage: Stage) -> None:
    actions = [stage.record(stage.action(number)) for number in range(1, 40)]
    undos = [stage.record(stage.undo(number, saw="indoubt")) for number in range(1, 40)]

    async def handle(batch: list[Record]) -> None:
        async with stage.database.transaction() as tx:
            await stage.handler().handle(tx, batch)

    async with asyncio.timeout(20):
        await asyncio.gather(
            handle(actions), handle(undos[::-1]), handle(actions[::-1]), handle(undos)
        )
    effects = await stage.effects()
    for number in range(1, 40):
        assert effects[number, "reserved"] <= 1
        assert effects[number, "released"] == effects[number, "reserved"]


async def test_a_claim_leaves_no_row_behind_when_its_batch_fails(stage: Stage) -> None:
    stage.shop.broken = {1}
    await stage.handle_all(stage.action(1))
    assert await stage.parked() == [(1, "ValueError")]
    assert await stage.query("SELECT 1 FROM sagaline.barrier") == []
