"""The saga machine: `decide` says what an input causes, `evolve` folds what happened.

Both are pure: equal arguments give equal results. So a saga can be folded from its history, and
deciding its recorded inputs again shows whether a changed definition still decides alike. The
clock is an argument, messages are opaque, and what goes out is data (`command` makes messages of
it). An input that changes nothing still gives an event that says why.
"""

from datetime import datetime
from typing import assert_never

from sagaline.engine.course import call_for_attention, compensate, forward, onward
from sagaline.engine.definition import Kind
from sagaline.engine.events import (
    Event,
    Ignored,
    Reason,
    SagaStarted,
    StepFailed,
    StepInDoubt,
    StepParked,
    StepSucceeded,
    StepUndone,
    StepUndoNoop,
    StepUndoRefused,
    StepUnparked,
)
from sagaline.engine.evolution import evolve, fold, followed_by
from sagaline.engine.inputs import (
    Abort,
    Answer,
    AnyAnswer,
    Blocked,
    Delayed,
    Discarded,
    Input,
    Parked,
    Refused,
    Started,
    Succeeded,
    TimedOut,
    Undone,
    UndoNoop,
    UndoRefused,
)
from sagaline.engine.recipe import Refusal
from sagaline.engine.sending import ask_again, ask_revoke, exhausted, wait_anew
from sagaline.engine.state import Direction, SagaState, SagaStatus, StepState, StepStatus
from sagaline.engine.transitions import TRANSITIONS

__all__ = ["TRANSITIONS", "decide", "evolve", "fold"]

OPEN = frozenset({StepStatus.QUEUED, StepStatus.WAITING, StepStatus.IN_DOUBT})
NEEDS_CURRENT_GENERATION = (Refused, UndoRefused, Parked, Discarded)


def decide(saga: SagaState, received: Input, now: datetime) -> list[Event]:
    """What `received` causes at `now` (aware UTC): one event or more; the saga is not changed."""
    match received:
        case Started():
            return start(saga, received, now)
        case Abort():
            return abort(saga, received, now)
    reason = unheeded(saga, received, now)
    if reason is not None:
        answer = received.answer if isinstance(received, Answer) else None
        return [Ignored(now, reason, received.step, answer)]
    step = saga.steps[received.step]
    match received:
        case TimedOut():
            return overdue(saga, step, now)
        case Delayed():
            return [wait_anew(step, received, now)]
        case Parked():
            return [StepParked(now, step.name, received.answer)]
    if received.direction is Direction.UNDO:
        return decide_undo(saga, received, now)
    return decide_action(saga, received, now)


def start(saga: SagaState, received: Started, now: datetime) -> list[Event]:
    """Begin the first group, once."""
    if saga.status is not SagaStatus.NEW:
        return [Ignored(now, Reason.DUPLICATE)]
    return followed_by(saga, SagaStarted(now, received.message), forward, now)


def abort(saga: SagaState, received: Abort, now: datetime) -> list[Event]:
    """Turn back while that is sure to work: a pivot that was asked for may have happened."""
    if saga.status is SagaStatus.NEW:
        return [Ignored(now, Reason.UNEXPECTED)]
    if saga.status is not SagaStatus.RUNNING:
        return [Ignored(now, Reason.LATE)]
    if saga.pivot.status is not StepStatus.PLANNED:
        return [Ignored(now, Reason.PIVOT_ISSUED)]
    return compensate(saga, Refusal(None, "aborted", received.reason), now)


def unheeded(
    saga: SagaState, received: AnyAnswer | TimedOut | Delayed, now: datetime
) -> Reason | None:
    """Why a step's input counts for nothing; None if it counts."""
    step = saga.steps.get(received.step)
    if step is None or step.status is StepStatus.PLANNED or received.generation > step.generation:
        return Reason.UNEXPECTED
    if isinstance(received, TimedOut | Delayed):
        return unheeded_timer(step, received, now)
    if received.answer in step.heard:
        return Reason.DUPLICATE
    if received.direction not in received.directions or not asked(step, received.direction):
        return Reason.UNEXPECTED
    if not awaited(step, received):
        return Reason.LATE
    # An old yes is a yes; an old no does not beat an operator's retry.
    if received.generation < step.generation and isinstance(received, NEEDS_CURRENT_GENERATION):
        return Reason.STALE
    return None


def unheeded_timer(step: StepState, received: TimedOut | Delayed, now: datetime) -> Reason | None:
    """Timers match by attempt; one that fires before its step is due is none of its own."""
    if step.due_at is None or (isinstance(received, TimedOut) and now < step.due_at):
        return Reason.STALE
    newest = (step.direction, step.generation, step.attempt)
    same = (received.direction, received.generation, received.attempt) == newest
    return None if same else Reason.STALE


def asked(step: StepState, direction: Direction) -> bool:
    """Whether the step's participant was ever asked this; the action always comes first."""
    return direction in (Direction.ACTION, step.direction)


def awaited(step: StepState, received: AnyAnswer) -> bool:
    """Whether the step waits for this. The answer to a revoke is about the action, too."""
    if isinstance(received, Parked) and received.direction is not step.direction:
        return False  # another command than the one that its timer is about
    if received.direction is Direction.UNDO:
        return step.status is StepStatus.UNDOING
    return step.status in OPEN


def overdue(saga: SagaState, step: StepState, now: datetime) -> list[Event]:
    """Send again, with backoff; a first asking that stays unanswered leaves the step in doubt."""
    asks_for_action = step.direction is Direction.ACTION
    if not exhausted(step) or not asks_for_action or step.kind is Kind.RETRIABLE:
        return [ask_again(step, now)]
    in_doubt = StepInDoubt(now, step.name)
    if step.kind is Kind.PIVOT:  # nobody knows which way to go before the revoke is answered
        return [in_doubt, ask_revoke(step, now)]
    # The barrier makes it safe to undo what may not have happened yet.
    refusal = Refusal(step.name, "no_answer", f"no answer to {step.attempt} attempts")
    return [in_doubt, *compensate(evolve(saga, in_doubt), refusal, now)]


def decide_action(saga: SagaState, received: AnyAnswer, now: datetime) -> list[Event]:
    """What an answer about an action causes that its step waits for."""
    match received:
        case Succeeded():
            event = StepSucceeded(now, received.step, received.answer, received.reply)
            return followed_by(saga, event, onward, now)
        case Discarded(direction=Direction.REVOKE):
            # Only an answer about the pivot can settle it: the question is asked again.
            unparked = StepUnparked(now, received.step, received.answer)
            return [unparked, ask_again(saga.steps[received.step], now)]
        case Refused() | Blocked() | Discarded():
            return refused(saga, received, now)
        case Parked() | Undone() | UndoNoop() | UndoRefused():
            raise AssertionError(received)
        case _:
            assert_never(received)


def refused(saga: SagaState, received: Refused | Blocked | Discarded, now: datetime) -> list[Event]:
    """Turn back; after the pivot, where there is no way back, call a person."""
    code = received.code or received.outcome
    event = StepFailed(now, received.step, received.answer, code, received.detail)
    refusal = Refusal(received.step, code, received.detail)
    if saga.steps[received.step].kind is Kind.RETRIABLE:
        return [event, *call_for_attention(saga, refusal, now)]
    return [event, *compensate(evolve(saga, event), refusal, now)]


def decide_undo(saga: SagaState, received: AnyAnswer, now: datetime) -> list[Event]:
    """What an answer to an undo causes that its step waits for; after each the others go on."""
    step, answer = received.step, received.answer
    match received:
        case Undone():
            return followed_by(saga, StepUndone(now, step, answer), onward, now)
        case UndoNoop():
            return followed_by(saga, StepUndoNoop(now, step, answer), onward, now)
        case UndoRefused() | Discarded():
            code = received.code or received.outcome
            event = StepUndoRefused(now, step, answer, code, received.detail)
            return followed_by(saga, event, onward, now)
        case Parked() | Succeeded() | Refused() | Blocked():
            raise AssertionError(received)
        case _:
            assert_never(received)
