"""Stories of one saga: what its participants answered, and what it said; no I/O, no clock.

    saga = given(PLACE_ORDER, AN_ORDER).succeeded("create_order", "reserve_stock")
    saga.refused("authorize_payment", code="card_declined").undone("create_order", "reserve_stock")
    assert saga.sent_types[-3:] == [RejectOrder, ReleaseStock, SendRejection]

Every verb but `hears` fails if the saga did not wait for what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from sagaline.engine.command import command
from sagaline.engine.definition import Saga
from sagaline.engine.events import (
    ActionIssued,
    AnyCommandIssued,
    Event,
    Ignored,
    Reason,
    RevokeIssued,
    UndoIssued,
)
from sagaline.engine.history import Entry
from sagaline.engine.inputs import Abort, Delayed, Input, Started, Succeeded, TimedOut, answer
from sagaline.engine.machine import decide, fold
from sagaline.engine.state import Direction, SagaState, SagaStatus, StepState, new_saga
from sagaline.engine.view import SagaView, view
from sagaline.testing.samples import messages_beside, sample_success

MORNING = datetime(2026, 1, 1, 9, tzinfo=UTC)
SAGA_ID = UUID("5a9a0000-0000-5000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class Sent:
    """One sending of a command; `message` is None for a revoke, which the platform words."""

    step: str
    direction: Direction
    attempt: int
    message: object


def given(
    definition: Saga,
    message: object,
    *,
    messages: Mapping[str, type] | None = None,
    key: str = "a-key",
) -> "Story":
    """A saga that was just started by `message`.

    `messages` is the catalog, by Avro full name; if left out, the module that `message` is from.
    """
    catalog = messages_beside(type(message)) if messages is None else messages
    definition.check(catalog)
    story = Story(new_saga(definition, saga_id=SAGA_ID, key=key), catalog)
    return story.hears(Started(message))


class Story:
    """One saga and what happened to it. The clock stands still but for time-outs."""

    def __init__(self, planned: SagaState, messages: Mapping[str, type]) -> None:
        self._messages = messages
        self.planned = planned
        self.saga = planned
        self.now = MORNING
        self.history: list[Entry] = []
        self.sent: list[Sent] = []

    @property
    def state(self) -> SagaStatus:
        """The saga's state."""
        return self.saga.status

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        return [event for entry in self.history for event in entry.events]

    @property
    def ignored(self) -> list[Reason]:
        """Why inputs were ignored, in order."""
        return [event.reason for event in self.events if isinstance(event, Ignored)]

    @property
    def sent_types(self) -> list[type]:
        """The types of all messages sent so far, in order; RevokeIssued for a revoke."""
        return [RevokeIssued if s.message is None else type(s.message) for s in self.sent]

    @property
    def view(self) -> SagaView:
        """The saga as others see it."""
        return view(self.saga, sequence=len(self.history))

    def step(self, name: str) -> StepState:
        """The state of one step."""
        return self.saga.steps[name]

    def hears(self, received: Input) -> Self:
        """Tell the saga anything, also what it doesn't wait for."""
        events = decide(self.saga, received, self.now)
        self.saga = fold(self.saga, events)
        self.history.append(Entry(received, self.now, tuple(events)))
        self.sent.extend(self._sent(e) for e in events if isinstance(e, AnyCommandIssued))
        return self

    def again(self) -> Self:
        """Tell the saga the last thing once more: a duplicate."""
        return self.hears(self.history[-1].received)

    def succeeded(self, *steps: str, reply: object = None) -> Self:
        """The steps' actions were done, in this order; `reply` instead of a made-up one."""
        for name in steps:
            made = self.reply_of(name) if reply is None else reply
            step = self.step(name)
            self._heeds(Succeeded(name, Direction.ACTION, step.generation, made))
        return self

    def refused(self, step: str, *, code: str = "refused", detail: str = "") -> Self:
        """The step's action was refused."""
        return self._answered(step, Direction.ACTION, "refused", code, detail)

    def blocked(self, step: str) -> Self:
        """The step's revoke came before its action: it never happens."""
        return self._answered(step, Direction.ACTION, "blocked", "revoked")

    def undone(self, *steps: str) -> Self:
        """The steps' effects were taken back, in this order."""
        return self._all_answered(steps, "undone")

    def undo_noop(self, *steps: str) -> Self:
        """The steps had no effect to take back."""
        return self._all_answered(steps, "undo_noop")

    def undo_refused(self, step: str, *, code: str = "refused", detail: str = "") -> Self:
        """The step's effect stands."""
        return self._answered(step, Direction.UNDO, "undo_refused", code, detail)

    def parked(self, step: str) -> Self:
        """The participant has put the step's newest command aside."""
        return self._answered(step, self.step(step).direction, "parked", "poison")

    def discarded(self, step: str) -> Self:
        """An operator has thrown the step's newest command away."""
        return self._answered(step, self.step(step).direction, "discarded", "discarded")

    def timed_out(self, step: str, *, times: int = 1) -> Self:
        """The step's newest command was overdue, `times` times in a row."""
        for _ in range(times):
            asked = self.step(step)
            assert asked.due_at is not None, f"no timer runs for {step}: {asked.status}"
            self.now = max(self.now, asked.due_at)
            self._heeds(TimedOut(step, asked.direction, asked.generation, asked.attempt))
        return self

    def delayed(self, step: str, *, stalled: bool = False) -> Self:
        """The participant has yet to read the step's newest command."""
        asked = self.step(step)
        generation, attempt = asked.generation, asked.attempt
        return self._heeds(Delayed(step, asked.direction, generation, attempt, stalled))

    def aborted(self, reason: str = "") -> Self:
        """Someone aborted the saga, in time."""
        return self._heeds(Abort(reason))

    def later(self, **passed: float) -> Self:
        """Let time pass: the arguments of a timedelta."""
        self.now += timedelta(**passed)
        return self

    def reply_of(self, step: str) -> object:
        """A made-up reply by which the step succeeds."""
        plan = self.saga.definition.by_name[step]
        return sample_success(plan, self._messages, like=self.saga.message)

    def _all_answered(self, steps: tuple[str, ...], outcome: str) -> Self:
        for step in steps:
            self._answered(step, Direction.UNDO, outcome)
        return self

    def _answered(
        self, step: str, direction: Direction, outcome: str, code: str = "", detail: str = ""
    ) -> Self:
        generation = self.step(step).generation
        told = _Notice(code, detail)
        return self._heeds(
            answer(outcome, step=step, direction=direction, generation=generation, reply=told)
        )

    def _heeds(self, received: Input) -> Self:
        self.hears(received)
        ignored = [e.reason for e in self.history[-1].events if isinstance(e, Ignored)]
        assert not ignored, f"{received} was ignored ({ignored[0]}): {self.saga.steps}"
        return self

    def _sent(self, event: AnyCommandIssued) -> Sent:
        asked = event if isinstance(event, ActionIssued | UndoIssued) else None
        message = None if asked is None else command(self.saga, asked)
        return Sent(event.step, event.direction, event.attempt, message)


@dataclass(frozen=True, slots=True)
class _Notice:
    code: str
    detail: str
