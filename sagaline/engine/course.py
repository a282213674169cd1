"""Where a saga goes from where it stands: forward to its end, or backward over what it did.

Each rule looks at the state alone, so it may be asked after any answer; a saga that has to wait
gets no event.
"""

from collections.abc import Sequence
from datetime import datetime

from sagaline.engine.definition import Group
from sagaline.engine.events import (
    AttentionNeeded,
    CompensationStarted,
    Event,
    SagaCommitted,
    SagaCompensated,
    SagaCompleted,
)
from sagaline.engine.evolution import followed_by
from sagaline.engine.recipe import Refusal
from sagaline.engine.sending import ask_action, ask_undo
from sagaline.engine.state import SagaState, SagaStatus, StepState, StepStatus

# What may have an effect that has to be taken back.
UNDOABLE = frozenset(
    {StepStatus.SUCCEEDED, StepStatus.QUEUED, StepStatus.WAITING, StepStatus.IN_DOUBT}
)


def onward(saga: SagaState, now: datetime) -> list[Event]:
    """What follows now that a step has its answer."""
    if saga.status is SagaStatus.RUNNING or saga.committed:
        return forward(saga, now)
    return backward(saga, now)


def forward(saga: SagaState, now: datetime) -> list[Event]:
    """Commit once the pivot succeeded; start the next group once all of one succeeded."""
    if saga.committed and saga.status is SagaStatus.RUNNING:
        return followed_by(saga, SagaCommitted(now), forward, now)
    return next_group(saga, saga.definition.groups, SagaCompleted(now), now)


def backward(saga: SagaState, now: datetime) -> list[Event]:
    """Undo the newest group that has effects, once all of the one after it is settled."""
    for group in reversed(saga.definition.groups):
        steps = members(saga, group)
        if any(step.status is StepStatus.UNDOING for step in steps):
            return []
        effects = [step for step in steps if step.status in UNDOABLE]
        if effects:
            return [ask_undo(step, now) for step in effects]
    return closing(saga, now)


def closing(saga: SagaState, now: datetime) -> list[Event]:
    """After the last undo: call a person if an effect stands, else run `when_compensated`."""
    for step in saga.steps.values():
        if step.status is StepStatus.UNDO_BLOCKED:
            refusal = Refusal(step.name, step.code or "", step.detail or "")
            return call_for_attention(saga, refusal, now)
    return next_group(saga, saga.definition.closing_groups, SagaCompensated(now), now)


def next_group(
    saga: SagaState, groups: Sequence[Group], end: SagaCompleted | SagaCompensated, now: datetime
) -> list[Event]:
    """Start the first group that hasn't begun if all before it succeeded; `end` if none is left."""
    for group in groups:
        steps = members(saga, group)
        if all(step.status is StepStatus.PLANNED for step in steps):
            return [ask_action(step, now) for step in steps]
        if any(step.status is not StepStatus.SUCCEEDED for step in steps):
            return []
    return [end]


def compensate(saga: SagaState, refusal: Refusal, now: datetime) -> list[Event]:
    """Turn back, for the reason given."""
    return followed_by(saga, CompensationStarted(now, refusal), backward, now)


def call_for_attention(saga: SagaState, refusal: Refusal, now: datetime) -> list[Event]:
    """Call a person, unless one was called before."""
    called = saga.status is SagaStatus.NEEDS_ATTENTION
    return [] if called else [AttentionNeeded(now, refusal)]


def members(saga: SagaState, group: Group) -> list[StepState]:
    """The states of a group's steps, in order."""
    return [saga.steps[step.name] for step in group]
