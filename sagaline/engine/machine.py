"""The saga machine: `decide` says what an input causes, `evolve` folds what happened.

Within, an input is one `Turn` of the saga: what is decided happens to it at once, and the next rule
looks at what has become of it.

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
from sagaline.engine.evolution import Turn, evolve, fold
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

__all__ = ["TRANSITIONS", "decide", "evolve", "fold", "told"]

OPEN = frozenset({StepStatus.QUEUED, StepStatus.WAITING, StepStatus.IN_DOUBT})
NEEDS_CURRENT_GENERATION = (Refused, UndoRefused, Parked, Discarded)


def decide(saga: SagaState, received: Input, now: datetime) -> list[Event]:
    """What `received` causes at `now` (aware UTC): one event or more; the saga is not changed."""
    return told(saga, received, now).events


def told(saga: SagaState, received: Input, now: datetime) -> Turn:
    """The same, with the saga as these events leave it."""
    turn = Turn(saga)
    match received:
        case Started():
            start(turn, received, now)
        case Abort():
            abort(turn, received, now)
        case _:
            about_a_step(turn, received, now)
    return turn


def about_a_step(turn: Turn, received: AnyAnswer | TimedOut | Delayed, now: datetime) -> None:
    """A step has its answer, or its time is up; what counts for nothing leaves an event, too."""
    reason = unheeded(turn, received, now)
    if reason is not None:
        answer = received.answer if isinstance(received, Answer) else None
        turn.happens(Ignored(now, reason, received.step, answer))
        return
    step = turn.steps[received.step]
    match received:
        case TimedOut():
            overdue(turn, step, now)
        case Delayed():
            turn.happens(wait_anew(step, received, now))
        case Parked():
            turn.happens(StepParked(now, step.name, received.answer))
        case _ if received.direction is Direction.UNDO:
            decide_undo(turn, received, now)
        case _:
            decide_action(turn, received, now)


def start(turn: Turn, received: Started, now: datetime) -> None:
    """Begin the first group, once."""
    if turn.status is not SagaStatus.NEW:
        turn.happens(Ignored(now, Reason.DUPLICATE))
        return
    turn.happens(SagaStarted(now, received.message))
    forward(turn, now)


def abort(turn: Turn, received: Abort, now: datetime) -> None:
    """Turn back while that is sure to work: a pivot that was asked for may have happened."""
    pivot = turn.steps[turn.definition.pivot.name]
    if turn.status is SagaStatus.NEW:
        turn.happens(Ignored(now, Reason.UNEXPECTED))
    elif turn.status is not SagaStatus.RUNNING:
        turn.happens(Ignored(now, Reason.LATE))
    elif pivot.status is not StepStatus.PLANNED:
        turn.happens(Ignored(now, Reason.PIVOT_ISSUED))
    else:
        compensate(turn, Refusal(None, "aborted", received.reason), now)


def unheeded(turn: Turn, received: AnyAnswer | TimedOut | Delayed, now: datetime) -> Reason | None:
    """Why a step's input counts for nothing; None if it counts."""
    step = turn.steps.get(received.step)
    if step is None or step.status is StepStatus.PLANNED or received.generation > step.generation:
        return Reason.UNEXPECTED
    if isinstance(received, (TimedOut, Delayed)):
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


def overdue(turn: Turn, step: StepState, now: datetime) -> None:
    """Send again, with backoff; a first asking that stays unanswered leaves the step in doubt."""
    asks_for_action = step.direction is Direction.ACTION
    if not exhausted(step) or not asks_for_action or step.kind is Kind.RETRIABLE:
        turn.happens(ask_again(step, now))
        return
    turn.happens(StepInDoubt(now, step.name))
    if step.kind is Kind.PIVOT:  # nobody knows which way to go before the revoke is answered
        turn.happens(ask_revoke(step, now))
        return
    # The barrier makes it safe to undo what may not have happened yet.
    refusal = Refusal(step.name, "no_answer", f"no answer to {step.attempt} attempts")
    compensate(turn, refusal, now)


def decide_action(turn: Turn, received: AnyAnswer, now: datetime) -> None:
    """What an answer about an action causes that its step waits for."""
    match received:
        case Succeeded():
            turn.happens(StepSucceeded(now, received.step, received.answer, received.reply))
            onward(turn, now)
        case Discarded(direction=Direction.REVOKE):
            # Only an answer about the pivot can settle it: the question is asked again.
            turn.happens(StepUnparked(now, received.step, received.answer))
            turn.happens(ask_again(turn.steps[received.step], now))
        case Refused() | Blocked() | Discarded():
            refused(turn, received, now)
        case Parked() | Undone() | UndoNoop() | UndoRefused():
            raise AssertionError(received)
        case _:
            assert_never(received)


def refused(turn: Turn, received: Refused | Blocked | Discarded, now: datetime) -> None:
    """Turn back; after the pivot, where there is no way back, call a person."""
    code = received.code or received.outcome
    turn.happens(StepFailed(now, received.step, received.answer, code, received.detail))
    refusal = Refusal(received.step, code, received.detail)
    if turn.steps[received.step].kind is Kind.RETRIABLE:
        call_for_attention(turn, refusal, now)
    else:
        compensate(turn, refusal, now)


def decide_undo(turn: Turn, received: AnyAnswer, now: datetime) -> None:
    """What an answer to an undo causes that its step waits for; after each the others go on."""
    step, answer = received.step, received.answer
    match received:
        case Undone():
            turn.happens(StepUndone(now, step, answer))
        case UndoNoop():
            turn.happens(StepUndoNoop(now, step, answer))
        case UndoRefused() | Discarded():
            code = received.code or received.outcome
            turn.happens(StepUndoRefused(now, step, answer, code, received.detail))
        case Parked() | Succeeded() | Refused() | Blocked():
            raise AssertionError(received)
        case _:
            assert_never(received)
    onward(turn, now)
