"""A saga in hand: under its key's lock, as it was loaded, with what this transaction adds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sagaline.chassis.envelope import Record
from sagaline.engine.codec import Plain
from sagaline.engine.definitions import UnknownDefinition
from sagaline.engine.events import Event, Ignored, Reason
from sagaline.engine.history import Entry
from sagaline.engine.inputs import Input
from sagaline.engine.machine import decide, fold
from sagaline.engine.row import Written
from sagaline.engine.state import SagaState


@dataclass(frozen=True, slots=True)
class Timer:
    """When a saga's timer fires, and what the fences of its commands have seen, by command id."""

    due_at: datetime
    fences: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry of the history: the saga's version after it, and the record that brought it."""

    entry: Entry
    version: int
    record: Record | None


@dataclass(slots=True)
class Held:
    """One saga; `loaded_version` is 0 where it begins in this transaction.

    `written` is the text of an earlier state of it, if that is at hand.
    """

    state: SagaState
    traceparent: str | None = None
    timer: Timer | None = None
    loaded_version: int = 0
    written: Written | None = None
    accepted: list[Accepted] = field(default_factory=list)

    def take(self, received: Input, now: datetime, record: Record | None = None) -> list[Event]:
        """Decide an input and fold what it causes; a duplicate leaves no trace in the saga."""
        events = decide(self.state, received, now)
        if not is_duplicate(events):
            self.state = fold(self.state, events)
            entry = Entry(received, now, tuple(events))
            self.accepted.append(Accepted(entry, self.state.version, record))
        return events

    @property
    def shown(self) -> bool:
        """Whether the outside has something new to see: more than inputs that were ignored."""
        events = (event for accepted in self.accepted for event in accepted.entry.events)
        return any(not isinstance(event, Ignored) for event in events)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A saga that can't be loaded here: it runs by a definition of another release."""

    key: str
    why: UnknownDefinition


@dataclass(slots=True)
class Locked:
    """Keys under their locks: their sagas by id, their sequences, and the clock after the lock."""

    now: datetime
    sequences: dict[str, int]
    sagas: dict[UUID, Held]
    unknown: dict[UUID, Unknown] = field(default_factory=dict)


def is_duplicate(events: list[Event]) -> bool:
    """Whether an input was had before, and is only counted."""
    first = events[0]
    return isinstance(first, Ignored) and first.reason is Reason.DUPLICATE
