"""What must hold in every state of a saga, judged by what the participants' barriers hold."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from sagaline.engine.definition import Group
from sagaline.engine.state import Direction, SagaState, SagaStatus, StepStatus
from sagaline.engine.view import Verdict, verdict
from sagaline.testing.participants import Desk

DeskOf = Callable[[str], Desk]

AWAITING = frozenset(
    {StepStatus.QUEUED, StepStatus.WAITING, StepStatus.IN_DOUBT, StepStatus.UNDOING}
)
EXPECTED = frozenset({StepStatus.WAITING, StepStatus.UNDOING})
ENDED = frozenset({SagaStatus.COMPLETED, SagaStatus.COMPENSATED, SagaStatus.NEEDS_ATTENTION})


class Broken(AssertionError):
    """A saga can reach a state in which an invariant doesn't hold."""


class Outline(NamedTuple):
    """What a state's successors may not take back; `ended` when it waits for no one any more."""

    status: SagaStatus
    verdict: Verdict
    ended: bool


def outline(saga: SagaState) -> Outline:
    """The part of a state that only ever goes one way."""
    quiet = not any(step.status in AWAITING for step in saga.steps.values())
    return Outline(saga.status, verdict(saga), quiet and saga.status in ENDED)


def check_state(saga: SagaState, desk_of: DeskOf) -> None:
    """Broken if anything is wrong with where the saga and its participants stand."""
    _check_ends(saga, desk_of)
    _check_one_way_only(saga, desk_of)
    _check_order(saga, desk_of)
    _check_timers(saga)


def check_move(before: Outline, after: Outline) -> None:
    """Broken if a state took back what others were told already."""
    _hold(before.verdict in (Verdict.OPEN, after.verdict), "a verdict is for ever")
    _hold(not before.ended or after == before, "an end is an end")


def check_silence(before: SagaState, after: SagaState) -> None:
    """Broken if others should have been told of this move, or may never be."""
    _hold(outline(before) == outline(after), "a turn of the saga is told")
    _hold(before.refusal == after.refusal, "a refusal is told")
    steps = after.steps.values()
    _hold(any(step.due_at is not None for step in steps), "silence is followed by something")
    changed = [was for was in before.steps.values() if was != after.steps[was.name]]
    _hold(all(was.status in EXPECTED for was in changed), "what was late is told to be done")
    troubled = (was.parked or was.stalled or was.attempt > 1 for was in changed)
    _hold(not any(troubled), "an all-clear is told")


def _check_ends(saga: SagaState, desk_of: DeskOf) -> None:
    steps = [step.name for group in saga.definition.groups for step in group]
    closing = [step.name for group in saga.definition.closing_groups for step in group]
    match saga.status:
        case SagaStatus.COMPLETED:
            _hold(all(desk_of(name).effect for name in steps), "completed: everything happened")
        case SagaStatus.COMPENSATED:
            _hold(all(desk_of(name).effect for name in closing), "compensated: its steps are done")
    if verdict(saga) is Verdict.COMPENSATED:
        _hold(all(desk_of(name).never for name in steps), "compensated: no effect stands or comes")


def _check_one_way_only(saga: SagaState, desk_of: DeskOf) -> None:
    pivot = desk_of(saga.definition.pivot.name)
    undone = any(
        Direction.UNDO in desk_of(name).asked or desk_of(name).undo is not None
        for name in saga.definition.by_name
    )
    if undone:
        _hold(pivot.never, "what is undone was never decided, nor ever will be")
    if verdict(saga) is Verdict.COMMITTED:
        _hold(pivot.effect, "committed: the pivot happened")
        _hold(not undone, "committed: nothing is undone")


def _check_order(saga: SagaState, desk_of: DeskOf) -> None:
    groups = saga.definition.groups
    for earlier, later in pairwise(groups):
        if _asked(later, Direction.ACTION, desk_of):
            happened = all(desk_of(step.name).action == "succeeded" for step in earlier)
            _hold(happened, "a group starts when all of the one before has happened")
        if _asked(earlier, Direction.UNDO, desk_of):
            settled = all(_settled(desk_of(step.name)) for step in later)
            _hold(settled, "a group is undone when nothing of the one after can stand")
    if any(_asked(group, Direction.ACTION, desk_of) for group in saga.definition.closing_groups):
        _hold(
            verdict(saga) is Verdict.COMPENSATED, "when_compensated is for a saga without effects"
        )


def _asked(group: Group, direction: Direction, desk_of: DeskOf) -> bool:
    return any(direction in desk_of(step.name).asked for step in group)


def _settled(desk: Desk) -> bool:
    return desk.never or desk.undo in ("undo_refused", "discarded")


def _check_timers(saga: SagaState) -> None:
    for step in saga.steps.values():
        runs = step.due_at is not None
        _hold(runs == (step.status in AWAITING and not step.parked), f"{step.name}: timer {runs}")


def _hold(holds: object, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)
