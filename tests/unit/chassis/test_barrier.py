"""The barrier's rules against a model: whatever comes, and in whichever order."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagaline.chassis.barrier import (
    OUTCOME_OF_ANSWER,
    ActionMissing,
    BarrierRow,
    Block,
    Command,
    Execute,
    NothingToUndo,
    Repeat,
    judge,
)

SAGA = UUID(int=1)


def command(direction: str, generation: int = 1, undoes: str | None = None) -> Command:
    return Command(SAGA, "reserve_stock", direction, generation, undoes)


class Participant:
    """Keeps the two rows of one step, as `commands` does, and counts its effects."""

    def __init__(self) -> None:
        self.rows: dict[str, BarrierRow] = {}
        self.actions = 0
        self.undos = 0

    def gets(self, command: Command, *, accepts: bool) -> str:
        """Handle the command; a handler that is run answers by `accepts`."""
        fresh = BarrierRow(0)
        action, undo = self.rows.get("action", fresh), self.rows.get("undo", fresh)
        own = "undo" if command.direction == "undo" else "action"
        verdict = judge(command, action, undo if own == "undo" else None)
        match verdict:
            case Execute():
                answer = self._execute(own, accepts=accepts)
            case Repeat(row=row):
                assert row.answer is not None
                answer = row.answer
            case Block():
                answer = "blocked"
            case NothingToUndo():
                answer = "undo_noop"
                self._keep("action", action.generation, "blocked")
            case ActionMissing():
                answer = "undo_refused"
        generation = verdict.generation if isinstance(verdict, Repeat) else command.generation
        self._keep(own, generation, answer)
        return answer

    def _execute(self, own: str, *, accepts: bool) -> str:
        if own == "action":
            self.actions += accepts
            return "succeeded" if accepts else "refused"
        self.undos += accepts
        return "undone" if accepts else "undo_refused"

    def _keep(self, own: str, generation: int, answer: str) -> None:
        self.rows[own] = BarrierRow(generation, OUTCOME_OF_ANSWER[answer], answer, answer.encode())


generations = st.integers(1, 3)
commands = st.one_of(
    st.builds(command, st.just("action"), generations),
    st.builds(command, st.just("revoke"), generations),
    st.builds(command, st.just("undo"), generations, st.sampled_from(["done", "indoubt"])),
)
histories = st.lists(st.tuples(commands, st.booleans()), max_size=12)


@given(histories)
@settings(max_examples=500, deadline=None)
def test_one_effect_one_undo_and_answers_that_last(history: list[tuple[Command, bool]]) -> None:
    participant = Participant()
    said: dict[tuple[str, int], str] = {}
    blocked = False
    for command, accepts in history:
        answer = participant.gets(command, accepts=accepts)
        undoing = command.direction == "undo"
        assert participant.actions <= 1
        assert participant.undos <= participant.actions
        if blocked and not undoing:
            assert answer == "blocked"  # for ever
        blocked = blocked or answer in ("blocked", "undo_noop")
        if answer == "undo_noop":
            assert participant.actions == 0
        if command.direction != "revoke":
            said_before = said.setdefault((command.direction, command.generation), answer)
            assert answer == said_before or overruled(said_before, answer)
    if participant.actions and participant.undos == 0:
        assert participant.gets(command_of_undo(), accepts=True) in ("undone", "undo_refused")


def command_of_undo() -> Command:
    return command("undo", 4, "indoubt")


def overruled(before: str, now: str) -> bool:
    """A no, alone, may give way: to a later try, or to an undo that closed the action."""
    return (before, now) in {
        ("refused", "succeeded"),
        ("refused", "blocked"),
        ("undo_refused", "undone"),
        ("undo_refused", "undo_noop"),
    }


@given(histories, commands, st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_duplicate_is_answered_alike_and_changes_nothing(
    history: list[tuple[Command, bool]], again: Command, first: bool, second: bool
) -> None:
    participant = Participant()
    for command, accepts in history:
        participant.gets(command, accepts=accepts)
    answer = participant.gets(again, accepts=first)
    rows, effects = dict(participant.rows), (participant.actions, participant.undos)
    assert participant.gets(again, accepts=second) == answer
    assert (participant.actions, participant.undos) == effects
    assert participant.rows == rows


FRESH = BarrierRow(0)
DONE = BarrierRow(2, "done", "succeeded", b"yes")
REFUSED = BarrierRow(2, "refused", "refused", b"no")
BLOCKED = BarrierRow(2, "blocked", "blocked", b"never")


@pytest.mark.parametrize(
    "row, generation, verdict",
    [
        (FRESH, 1, Execute()),
        (DONE, 1, Repeat(DONE, 2)),
        (DONE, 2, Repeat(DONE, 2)),
        (DONE, 3, Repeat(DONE, 3)),
        (BLOCKED, 3, Repeat(BLOCKED, 3)),
        (REFUSED, 1, Repeat(REFUSED, 2)),
        (REFUSED, 2, Repeat(REFUSED, 2)),
        (REFUSED, 3, Execute()),
    ],
)
def test_an_action(row: BarrierRow, generation: int, verdict: object) -> None:
    assert judge(command("action", generation), row) == verdict


@pytest.mark.parametrize(
    "row, generation, verdict",
    [
        (FRESH, 1, Block()),
        (DONE, 3, Repeat(DONE, 2)),
        (BLOCKED, 3, Repeat(BLOCKED, 2)),
        (REFUSED, 2, Repeat(REFUSED, 2)),
        (REFUSED, 3, Block()),
    ],
)
def test_a_revoke(row: BarrierRow, generation: int, verdict: object) -> None:
    assert judge(command("revoke", generation), row) == verdict


@pytest.mark.parametrize(
    "action, undoes, verdict",
    [
        (DONE, "done", Execute()),
        (DONE, "indoubt", Execute()),
        (FRESH, "done", ActionMissing()),
        (FRESH, "indoubt", NothingToUndo()),
        (REFUSED, "indoubt", NothingToUndo()),
        (BLOCKED, "indoubt", NothingToUndo()),
        (BLOCKED, "done", NothingToUndo()),
    ],
)
def test_an_undo(action: BarrierRow, undoes: str, verdict: object) -> None:
    assert judge(command("undo", 1, undoes), action, FRESH) == verdict
