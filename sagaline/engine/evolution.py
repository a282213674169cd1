"""Events folded into the state: what an event changes of the saga, or of one of its steps."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import TypeAlias, TypedDict, assert_never

from sagaline.engine.events import (
    ActionIssued,
    AttentionNeeded,
    CompensationStarted,
    Event,
    Ignored,
    Reason,
    RevokeIssued,
    SagaCommitted,
    SagaCompensated,
    SagaCompleted,
    SagaStarted,
    StepAnswered,
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
from sagaline.engine.recipe import Refusal
from sagaline.engine.state import (
    Certainty,
    Direction,
    SagaState,
    SagaStatus,
    StepState,
)
from sagaline.engine.transitions import following

StepChange: TypeAlias = (
    ActionIssued
    | UndoIssued
    | RevokeIssued
    | StepDelayed
    | StepInDoubt
    | StepSucceeded
    | StepFailed
    | StepParked
    | StepUnparked
    | StepUndone
    | StepUndoNoop
    | StepUndoRefused
)


class SagaChanges(TypedDict, total=False):
    """Fields of a SagaState that an event changes."""

    status: SagaStatus
    steps: Mapping[str, StepState]
    message: object
    refusal: Refusal | None
    started_at: datetime


class StepChanges(TypedDict, total=False):
    """Fields of a StepState that an event changes, but for its status."""

    direction: Direction
    generation: int
    attempt: int
    due_at: datetime | None
    certainty: Certainty | None
    started_at: datetime
    ended_at: datetime | None
    reply: object
    code: str
    detail: str
    parked: bool
    stalled: bool
    heard: tuple[str, ...]


Rule: TypeAlias = Callable[[SagaState, datetime], list[Event]]


def evolve(saga: SagaState, event: Event) -> SagaState:
    """Fold one event. Decides nothing, so that folding a history has no effects."""
    changes = _saga_changes(saga, event)
    return replace(saga, updated_at=event.at, version=saga.version + 1, **changes)


def fold(saga: SagaState, events: Iterable[Event]) -> SagaState:
    """Fold events in order."""
    return reduce(evolve, events, saga)


def followed_by(saga: SagaState, event: Event, rule: Rule, now: datetime) -> list[Event]:
    """`event`, and what `rule` makes of the saga to which it has happened."""
    return [event, *rule(evolve(saga, event), now)]


def _saga_changes(saga: SagaState, event: Event) -> SagaChanges:
    match event:
        case SagaStarted():
            status = following(event, saga.status)
            return {"status": status, "message": event.message, "started_at": event.at}
        case CompensationStarted() | AttentionNeeded():
            refusal = saga.refusal or event.refusal  # the first one says why
            return {"status": following(event, saga.status), "refusal": refusal}
        case SagaCommitted() | SagaCompleted() | SagaCompensated():
            return {"status": following(event, saga.status)}
        case Ignored(reason=Reason.LATE | Reason.STALE, step=str(name)):
            step = saga.steps[name]
            return _with(saga, replace(step, heard=_heard(step, event.answer)))
        case Ignored():  # what nobody asked for yet is not heard: asked for, it has to count
            return {}
        case _:
            step = saga.steps[event.step]
            changes = _step_changes(step, event)
            return _with(saga, replace(step, status=following(event, step.status), **changes))


def _with(saga: SagaState, step: StepState) -> SagaChanges:
    return {"steps": {**saga.steps, step.name: step}}


def _heard(step: StepState, answer: str | None) -> tuple[str, ...]:
    return step.heard if answer is None or answer in step.heard else (*step.heard, answer)


def _step_changes(step: StepState, event: StepChange) -> StepChanges:
    """What the event changes of the step, but for its status."""
    match event:
        case ActionIssued() | UndoIssued() | RevokeIssued():
            return _asked(step, event)
        case StepDelayed():
            return {"due_at": event.due_at, "stalled": event.stalled}
        case StepInDoubt():
            return {"due_at": None}
        case StepParked():
            return {"heard": _heard(step, event.answer), "due_at": None, "parked": True}
        case StepUnparked():
            return {"heard": _heard(step, event.answer), "parked": False}
        case StepSucceeded():
            return {**_settled(step, event), "reply": event.reply}
        case StepFailed() | StepUndoRefused():
            return {**_settled(step, event), "code": event.code, "detail": event.detail}
        case StepUndone() | StepUndoNoop():
            return _settled(step, event)
        case _:
            assert_never(event)


def _asked(step: StepState, event: ActionIssued | UndoIssued | RevokeIssued) -> StepChanges:
    return {
        "direction": event.direction,
        "generation": event.generation,
        "attempt": event.attempt,
        "due_at": event.due_at,
        "certainty": event.certainty if isinstance(event, UndoIssued) else None,
        "started_at": step.started_at or event.at,
        "ended_at": None,
        "parked": False,
        "stalled": event.stalled,
    }


def _settled(step: StepState, event: StepAnswered) -> StepChanges:
    return {
        "heard": _heard(step, event.answer),
        "due_at": None,
        "ended_at": event.at,
        "parked": False,
        "stalled": False,
    }
