"""Where a saga stands: one row for the saga, one entry a step; values, folded from events."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from sagaline.engine.definition import Kind, Refusal, Saga, Step
from sagaline.engine.value import value

OPAQUE = MappingProxyType({"opaque": True})  # not the codec's business: see `row`


class SagaStatus(StrEnum):
    """A saga's state. NEW is before its first input and never stored."""

    NEW = "NEW"
    RUNNING = "RUNNING"
    COMMITTED = "COMMITTED"
    COMPLETED = "COMPLETED"
    COMPENSATING = "COMPENSATING"
    COMPENSATED = "COMPENSATED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"


class StepStatus(StrEnum):
    """A step's state. QUEUED: seen that the participant has yet to read the command."""

    PLANNED = "PLANNED"
    QUEUED = "QUEUED"
    WAITING = "WAITING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    IN_DOUBT = "IN_DOUBT"
    UNDOING = "UNDOING"
    UNDONE = "UNDONE"
    UNDO_NOOP = "UNDO_NOOP"
    UNDO_BLOCKED = "UNDO_BLOCKED"


class Direction(StrEnum):
    """What a command asks for: do it, undo it, or say whether it was done and else never do it."""

    ACTION = "action"
    UNDO = "undo"
    REVOKE = "revoke"


class Certainty(StrEnum):
    """What an undo tells the participant about its action: surely done, or nobody knows."""

    DONE = "done"
    IN_DOUBT = "indoubt"


@value
class StepState:
    """One step of one saga. `attempt`, `parked` and `stalled` are about its newest command.

    `due_at` is when that command is overdue, None while nothing is awaited or it is parked.
    `heard` lists the answers had so far, so that a duplicate is told from a late one.
    """

    plan: Step = field(metadata=OPAQUE)
    status: StepStatus = StepStatus.PLANNED
    direction: Direction = Direction.ACTION
    generation: int = 1
    attempt: int = 0
    due_at: datetime | None = None
    certainty: Certainty | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reply: object = field(default=None, metadata=OPAQUE)
    code: str | None = None
    detail: str | None = None
    parked: bool = False
    stalled: bool = False
    heard: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The step's name."""
        return self.plan.name

    @property
    def kind(self) -> Kind:
        """The step's kind."""
        return self.plan.kind


@value
class SagaState:
    """One saga: `version` counts the events folded, `refusal` says why it turned back or stopped.

    `message` is what started it. Every step of the definition is in `steps`, in order.
    """

    saga_id: UUID
    key: str
    definition: Saga = field(metadata=OPAQUE)
    steps: Mapping[str, StepState] = field(metadata=OPAQUE)
    status: SagaStatus = SagaStatus.NEW
    message: object = field(default=None, metadata=OPAQUE)
    refusal: Refusal | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 0

    @property
    def pivot(self) -> StepState:
        """The step that decides."""
        return self.steps[self.definition.pivot.name]

    @property
    def committed(self) -> bool:
        """Whether the pivot has succeeded: from then on nothing is undone any more."""
        return self.pivot.status is StepStatus.SUCCEEDED

    @property
    def ended(self) -> bool:
        """Whether it is over: all happened or all is undone, and nothing more is sent."""
        return self.status in (SagaStatus.COMPLETED, SagaStatus.COMPENSATED)

    @property
    def due_at(self) -> datetime | None:
        """When the first of its steps is overdue; None if no timer runs."""
        first: datetime | None = None
        for step in self.steps.values():  # asked twice an input, and `min` takes twice as long
            at = step.due_at
            if at is not None and (first is None or at < first):
                first = at
        return first

    def overdue(self, now: datetime) -> list[StepState]:
        """The steps whose time is up at `now`, in the definition's order."""
        return [s for s in self.steps.values() if s.due_at is not None and s.due_at <= now]


def new_saga(definition: Saga, *, saga_id: UUID, key: str) -> SagaState:
    """A saga before its first input: nothing has begun, every step is planned."""
    steps = {name: StepState(plan=step) for name, step in definition.by_name.items()}
    return SagaState(saga_id=saga_id, key=key, definition=definition, steps=steps)
