"""What a saga can be told: a closed union. Messages in it are opaque to the machine."""

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import ClassVar, TypeAlias, get_args

from sagaline.engine.state import OPAQUE, Direction
from sagaline.engine.value import value

ACTION, UNDO, REVOKE = Direction.ACTION, Direction.UNDO, Direction.REVOKE


@value
class Started:
    """The message that starts the saga has come."""

    message: object = field(metadata=OPAQUE)


@value
class Abort:
    """Someone wants the saga undone; possible until its pivot's command was issued."""

    reason: str = ""


@value
class StepInput:
    """Something about one command of one step, named by direction and generation."""

    step: str
    direction: Direction = ACTION
    generation: int = 1


@value
class TimedOut(StepInput):
    """The `attempt`-th sending has no answer in time, though the participant has read it."""

    attempt: int = 1


@value
class Delayed(StepInput):
    """The `attempt`-th sending isn't with the participant yet: its time starts anew.

    `stalled` if the outbox has quarantined it, so that only an operator gets it going.
    """

    attempt: int = 1
    stalled: bool = False


@value
class Answer(StepInput):
    """A participant's reply; `outcome` as in `ce_sagaoutcome`."""

    outcome: ClassVar[str]
    directions: ClassVar[frozenset[Direction]]

    @property
    def answer(self) -> str:
        """The same text for the same answer, however often it comes."""
        return f"{self.direction}/{self.generation}/{self.outcome}"


@value
class Succeeded(Answer):
    """The action was done; `reply` is the business reply."""

    outcome = "succeeded"
    directions = frozenset({ACTION, REVOKE})
    reply: object = field(default=None, metadata=OPAQUE)


@value
class Explained(Answer):
    """An answer that says why."""

    code: str = ""
    detail: str = ""


@value
class Refused(Explained):
    """The action was refused and has had no effect."""

    outcome = "refused"
    directions = frozenset({ACTION, REVOKE})


@value
class Blocked(Explained):
    """The action was not done and never will be: its undo or a revoke came first."""

    outcome = "blocked"
    directions = frozenset({ACTION, REVOKE})


@value
class Parked(Explained):
    """The participant has put the command aside for an operator."""

    outcome = "parked"
    directions = frozenset(Direction)


@value
class Discarded(Explained):
    """An operator has thrown the parked command away: it acts as refused."""

    outcome = "discarded"
    directions = frozenset(Direction)


@value
class Undone(Answer):
    """The action's effect was taken back."""

    outcome = "undone"
    directions = frozenset({UNDO})


@value
class UndoNoop(Answer):
    """There was no effect to take back, and there never will be."""

    outcome = "undo_noop"
    directions = frozenset({UNDO})


@value
class UndoRefused(Explained):
    """The effect stands: it can't be taken back."""

    outcome = "undo_refused"
    directions = frozenset({UNDO})


AnyAnswer: TypeAlias = (
    Succeeded | Refused | Blocked | Parked | Discarded | Undone | UndoNoop | UndoRefused
)
Input: TypeAlias = Started | Abort | TimedOut | Delayed | AnyAnswer

ANSWERS: Mapping[str, type[AnyAnswer]] = MappingProxyType(
    {answer.outcome: answer for answer in get_args(AnyAnswer)}
)


def answer(
    outcome: str, *, step: str, direction: Direction, generation: int, reply: object
) -> AnyAnswer:
    """The input that a reply with this `ce_sagaoutcome` is; ValueError for an unknown outcome.

    A reply that says why has the attributes `code` and `detail`.
    """
    if outcome not in ANSWERS:
        raise ValueError(f"no such outcome: {outcome!r}")
    kind = ANSWERS[outcome]
    if kind is Succeeded:
        return Succeeded(step, direction, generation, reply)
    if issubclass(kind, Explained):
        code, detail = str(getattr(reply, "code", "")), str(getattr(reply, "detail", ""))
        return kind(step, direction, generation, code, detail)
    return kind(step, direction, generation)
