"""Commands as events: the first sending, the next ones, and how long each waits."""

from datetime import datetime, timedelta
from typing import TypedDict

from sagaline.engine.events import (
    ActionIssued,
    AnyCommandIssued,
    RevokeIssued,
    StepDelayed,
    UndoIssued,
)
from sagaline.engine.inputs import Delayed
from sagaline.engine.state import Certainty, Direction, StepState, StepStatus


def due_at(step: StepState, attempt: int, now: datetime) -> datetime:
    """When the `attempt`-th sending is overdue if its time starts at `now`."""
    return now + timedelta(milliseconds=step.plan.limits.wait_ms(attempt))


def ask_action(step: StepState, now: datetime) -> ActionIssued:
    """Ask for the step's action, for the first time."""
    assert step.attempt == 0, step
    return ActionIssued(now, step.name, due_at(step, 1, now), generation=step.generation)


def ask_undo(step: StepState, now: datetime) -> UndoIssued:
    """Ask for the step's undo; what is known about its action decides what a missing one means."""
    certainty = Certainty.DONE if step.status is StepStatus.SUCCEEDED else Certainty.IN_DOUBT
    due = due_at(step, 1, now)
    return UndoIssued(now, step.name, due, certainty, generation=step.generation)


def ask_revoke(step: StepState, now: datetime) -> RevokeIssued:
    """Ask what became of the action of a step in doubt."""
    return RevokeIssued(now, step.name, due_at(step, 1, now), generation=step.generation)


def exhausted(step: StepState) -> bool:
    """Whether the newest command was sent as often as its limits say."""
    return step.attempt > step.plan.limits.resends_max


def ask_again(step: StepState, now: datetime) -> AnyCommandIssued:
    """Send the newest command again, the same in all but its attempt; stalled beyond its limit."""
    again = _Again(generation=step.generation, attempt=step.attempt + 1, stalled=exhausted(step))
    due = due_at(step, again["attempt"], now)
    match step.direction:
        case Direction.ACTION:
            return ActionIssued(now, step.name, due, **again)
        case Direction.REVOKE:
            return RevokeIssued(now, step.name, due, **again)
        case Direction.UNDO:
            known = step.certainty
            assert known is not None, step
            return UndoIssued(now, step.name, due, known, **again)


class _Again(TypedDict):
    generation: int
    attempt: int
    stalled: bool


def wait_anew(step: StepState, received: Delayed, now: datetime) -> StepDelayed:
    """Give the newest command its time again: the participant has yet to read it."""
    stalled = step.attempt > step.plan.limits.resends_max + 1
    due = due_at(step, step.attempt, now)
    return StepDelayed(now, step.name, due, stalled or received.stalled)
