"""One table of legal transitions: in which states an event may happen, and where it leads."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from sagaline.engine.events import (
    ActionIssued,
    AttentionNeeded,
    CompensationStarted,
    Event,
    RevokeIssued,
    SagaCommitted,
    SagaCompensated,
    SagaCompleted,
    SagaStarted,
    StepDelayed,
    StepFailed,
    StepInDoubt,
    StepParked,
    StepSucceeded,
    StepUndone,
    StepUndoNoop,
    StepUndoRefused,
    StepUnparked,
    UndoIssued,
)
from sagaline.engine.state import SagaStatus, StepStatus

Status: TypeAlias = SagaStatus | StepStatus
AStatus = TypeVar("AStatus", SagaStatus, StepStatus)
S, T = SagaStatus, StepStatus
# For each event: the states in which it may happen, and the state that it leads to.
TRANSITIONS: Mapping[type[Event], Mapping[Status, Status]] = MappingProxyType(
    {
        SagaStarted: {S.NEW: S.RUNNING},
        SagaCommitted: {S.RUNNING: S.COMMITTED},
        SagaCompleted: {S.COMMITTED: S.COMPLETED},
        CompensationStarted: {S.RUNNING: S.COMPENSATING},
        SagaCompensated: {S.COMPENSATING: S.COMPENSATED},
        AttentionNeeded: {
            S.COMMITTED: S.NEEDS_ATTENTION,
            S.COMPENSATING: S.NEEDS_ATTENTION,
        },
        ActionIssued: {
            T.PLANNED: T.WAITING,
            T.QUEUED: T.WAITING,
            T.WAITING: T.WAITING,
        },
        UndoIssued: {
            T.QUEUED: T.UNDOING,
            T.WAITING: T.UNDOING,
            T.SUCCEEDED: T.UNDOING,
            T.IN_DOUBT: T.UNDOING,
            T.UNDOING: T.UNDOING,
        },
        RevokeIssued: {T.IN_DOUBT: T.IN_DOUBT},
        StepDelayed: {
            T.QUEUED: T.QUEUED,
            T.WAITING: T.QUEUED,
            T.IN_DOUBT: T.IN_DOUBT,
            T.UNDOING: T.UNDOING,
        },
        StepInDoubt: {T.QUEUED: T.IN_DOUBT, T.WAITING: T.IN_DOUBT},
        StepSucceeded: {
            T.QUEUED: T.SUCCEEDED,
            T.WAITING: T.SUCCEEDED,
            T.IN_DOUBT: T.SUCCEEDED,
        },
        StepFailed: {T.QUEUED: T.FAILED, T.WAITING: T.FAILED, T.IN_DOUBT: T.FAILED},
        StepParked: {
            T.QUEUED: T.QUEUED,
            T.WAITING: T.WAITING,
            T.IN_DOUBT: T.IN_DOUBT,
            T.UNDOING: T.UNDOING,
        },
        StepUnparked: {T.IN_DOUBT: T.IN_DOUBT},
        StepUndone: {T.UNDOING: T.UNDONE},
        StepUndoNoop: {T.UNDOING: T.UNDO_NOOP},
        StepUndoRefused: {T.UNDOING: T.UNDO_BLOCKED},
    }
)


def following(event: Event, status: AStatus) -> AStatus:
    """The state that `event` leads to; it may happen in this one."""
    led_to = TRANSITIONS[type(event)].get(status)
    assert isinstance(led_to, type(status)), (event, status)
    return led_to
