"""What happened to a saga: a closed union. Folding a saga's events gives its row."""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, TypeAlias

from sagaline.engine.recipe import Refusal
from sagaline.engine.state import OPAQUE, Certainty, Direction
from sagaline.engine.value import value


@value
class SagaEvent:
    """Something that happened at `at` (aware UTC)."""

    at: datetime = field(metadata=OPAQUE)  # its input's `now`


@value
class SagaStarted(SagaEvent):
    """The saga runs, started by `message`."""

    message: object = field(metadata=OPAQUE)


@value
class SagaCommitted(SagaEvent):
    """The pivot has succeeded: the saga goes on to its end, nothing is undone any more."""


@value
class SagaCompleted(SagaEvent):
    """Everything happened."""


@value
class CompensationStarted(SagaEvent):
    """The saga turns back: everything that happened is undone."""

    refusal: Refusal


@value
class SagaCompensated(SagaEvent):
    """Everything that happened was undone, and the `when_compensated` steps are done."""


@value
class AttentionNeeded(SagaEvent):
    """Only a person can decide how the saga goes on; a cause from before is kept beside it."""

    refusal: Refusal


@value
class StepEvent(SagaEvent):
    """Something that happened to one step."""

    step: str


@value
class CommandIssued(StepEvent):
    """A command goes out, `attempt` counted from 1; its answer is overdue at `due_at`.

    `stalled` once it was sent more often than its limit and is sent again for ever.
    """

    direction: ClassVar[Direction]
    due_at: datetime
    generation: int = field(default=1, kw_only=True)
    attempt: int = field(default=1, kw_only=True)
    stalled: bool = field(default=False, kw_only=True)


@value
class ActionIssued(CommandIssued):
    """The step's action is asked for."""

    direction = Direction.ACTION


@value
class UndoIssued(CommandIssued):
    """The step's undo is asked for, with what is known about its action."""

    direction = Direction.UNDO
    certainty: Certainty


@value
class RevokeIssued(CommandIssued):
    """The participant is asked what became of the action, and never to do it from now on."""

    direction = Direction.REVOKE


@value
class StepDelayed(StepEvent):
    """The participant has yet to read the command: the attempt's time starts anew."""

    due_at: datetime
    stalled: bool


@value
class StepInDoubt(StepEvent):
    """No answer to all the attempts: the action may have happened or may still happen."""


@value
class StepAnswered(StepEvent):
    """An answer counted."""

    answer: str


@value
class StepSucceeded(StepAnswered):
    """The action was done."""

    reply: object = field(metadata=OPAQUE)


@value
class StepFailed(StepAnswered):
    """The action was not done and has no effect."""

    code: str
    detail: str


@value
class StepParked(StepAnswered):
    """The participant has put the command aside: its timer stands still."""


@value
class StepUnparked(StepAnswered):
    """The command put aside was thrown away without an answer: it has to be asked again."""


@value
class StepUndone(StepAnswered):
    """The action's effect was taken back."""


@value
class StepUndoNoop(StepAnswered):
    """There was no effect to take back, and there never will be."""


@value
class StepUndoRefused(StepAnswered):
    """The action's effect stands."""

    code: str
    detail: str


class Reason(StrEnum):
    """Why an input changed nothing."""

    DUPLICATE = "duplicate"  # had before: counted, not kept in the history
    LATE = "late"  # it answers what is no longer asked
    STALE = "stale"  # an old generation's no, or the timer of an old attempt
    UNEXPECTED = "unexpected"  # it answers what was not asked so far
    PIVOT_ISSUED = "pivot_issued"  # too late to abort: the pivot's answer decides


@value
class Ignored(SagaEvent):
    """An input that changed nothing; `step` and `answer` where it had them."""

    reason: Reason
    step: str | None = None
    answer: str | None = None


AnyCommandIssued: TypeAlias = ActionIssued | UndoIssued | RevokeIssued
Event: TypeAlias = (
    SagaStarted
    | SagaCommitted
    | SagaCompleted
    | CompensationStarted
    | SagaCompensated
    | AttentionNeeded
    | AnyCommandIssued
    | StepDelayed
    | StepInDoubt
    | StepSucceeded
    | StepFailed
    | StepParked
    | StepUnparked
    | StepUndone
    | StepUndoNoop
    | StepUndoRefused
    | Ignored
)
