"""Where a saga goes from where it stands: forward to its end, or backward over what it did.

Each rule looks at the state alone, so it may be asked after any answer; in a saga that has to wait
nothing happens.
"""

from collections.abc import Sequence
from datetime import datetime

from sagaline.engine.definition import Group
from sagaline.engine.events import (
    AttentionNeeded,
    CompensationStarted,
    SagaCommitted,
    SagaCompensated,
    SagaCompleted,
)
from sagaline.engine.evolution import Turn
from sagaline.engine.recipe import Refusal
from sagaline.engine.sending import ask_action, ask_undo
from sagaline.engine.state import SagaStatus, StepState, StepStatus

# What may have an effect that has to be taken back.
UNDOABLE = frozenset(
    {StepStatus.SUCCEEDED, StepStatus.QUEUED, StepStatus.WAITING, StepStatus.IN_DOUBT}
)


def onward(turn: Turn, now: datetime) -> None:
    """What follows now that a step has its answer."""
    if turn.status is SagaStatus.RUNNING or turn.committed:
        forward(turn, now)
    else:
        backward(turn, now)


def forward(turn: Turn, now: datetime) -> None:
    """Commit once the pivot succeeded; start the next group once all of one succeeded."""
    if turn.committed and turn.status is SagaStatus.RUNNING:
        turn.happens(SagaCommitted(now))
    next_group(turn, turn.definition.groups, SagaCompleted, now)


def backward(turn: Turn, now: datetime) -> None:
    """Undo the newest group that has effects, once all of the one after it is settled."""
    for group in reversed(turn.definition.groups):
        steps = members(turn, group)
        if any(step.status is StepStatus.UNDOING for step in steps):
            return
        effects = [step for step in steps if step.status in UNDOABLE]
        if effects:
            for step in effects:
                turn.happens(ask_undo(step, now))
            return
    closing(turn, now)


def closing(turn: Turn, now: datetime) -> None:
    """After the last undo: call a person if an effect stands, else run `when_compensated`."""
    for step in turn.steps.values():
        if step.status is StepStatus.UNDO_BLOCKED:
            call_for_attention(turn, Refusal(step.name, step.code or "", step.detail or ""), now)
            return
    next_group(turn, turn.definition.closing_groups, SagaCompensated, now)


def next_group(
    turn: Turn,
    groups: Sequence[Group],
    end: type[SagaCompleted] | type[SagaCompensated],
    now: datetime,
) -> None:
    """Start the first group that hasn't begun if all before it succeeded; `end` if none is left."""
    for group in groups:
        steps = members(turn, group)
        for step in steps:
            if step.status is not StepStatus.SUCCEEDED:
                begin(turn, steps, now)
                return
    turn.happens(end(now))


def begin(turn: Turn, steps: Sequence[StepState], now: datetime) -> None:
    """Ask for these steps of a group, unless some were asked for."""
    for step in steps:
        if step.status is not StepStatus.PLANNED:
            return
    for step in steps:
        turn.happens(ask_action(step, now))


def compensate(turn: Turn, refusal: Refusal, now: datetime) -> None:
    """Turn back, for the reason given."""
    turn.happens(CompensationStarted(now, refusal))
    backward(turn, now)


def call_for_attention(turn: Turn, refusal: Refusal, now: datetime) -> None:
    """Call a person, unless one was called before."""
    if turn.status is not SagaStatus.NEEDS_ATTENTION:
        turn.happens(AttentionNeeded(now, refusal))


def members(turn: Turn, group: Group) -> list[StepState]:
    """The states of a group's steps, in order."""
    return [turn.steps[step.name] for step in group]
