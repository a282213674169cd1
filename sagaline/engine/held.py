"""A saga in hand: under its key's lock, as it was loaded, with what this transaction adds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID

from sagaline.chassis.envelope import Record
from sagaline.engine.codec import Plain
from sagaline.engine.definitions import UnknownDefinition
from sagaline.engine.events import Event, Ignored, Reason
from sagaline.engine.history import Entry
from sagaline.engine.inputs import Input
from sagaline.engine.machine import told
from sagaline.engine.news import is_news
from sagaline.engine.state import SagaState
from sagaline.engine.value import value


@value
class Timer:
    """When a saga's timer fires. `fences`, JSON, has what those of its commands have seen."""

    due_at: datetime
    fences: str = "{}"

    def seen(self, fence_id: str) -> Mapping[str, Plain]:
        """What this fence has seen; empty if nothing yet."""
        return cast(Mapping[str, Mapping[str, Plain]], json.loads(self.fences)).get(fence_id, {})


@value
class Accepted:
    """An entry of the history: the saga's version after it, and the record that brought it."""

    entry: Entry
    version: int
    record: Record | None


@dataclass(slots=True)
class Held:
    """One saga; `loaded_version` is 0 where it begins in this transaction.

    `sequence` is the number of its newest snapshot, `state_version` the version of the state that
    stands in its row, 0 for none. `has_news` says whether others are told of what was accepted.
    """

    state: SagaState
    traceparent: str | None = None
    timer: Timer | None = None
    loaded_version: int = 0
    sequence: int = 0
    state_version: int = 0
    accepted: list[Accepted] = field(default_factory=list)
    has_news: bool = False

    def take(self, received: Input, now: datetime, record: Record | None = None) -> list[Event]:
        """Decide an input, with what it causes; a duplicate leaves no trace in the saga."""
        turn = told(self.state, received, now)
        events = turn.events
        if not is_duplicate(events):
            before, self.state = self.state, turn.saga
            self.has_news = self.has_news or is_news(before, events, self.state)
            entry = Entry(received, now, tuple(events))
            self.accepted.append(Accepted(entry, self.state.version, record))
        return events

    def arm(self) -> None:
        """Set what timer it needs: none once it has ended, never one that would fire too late.

        One that fires too early is left alone; it is set anew when it does.
        """
        due_at = self.state.due_at
        if self.state.ended:
            self.timer = None
        elif due_at is not None and (self.timer is None or due_at < self.timer.due_at):
            self.timer = Timer(due_at)


@value
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

    def number(self, held: Held) -> int:
        """The saga has one more snapshot: the next of its key, whichever saga had the last."""
        key = held.state.key
        self.sequences[key] += 1
        held.sequence = self.sequences[key]
        return held.sequence


def is_duplicate(events: list[Event]) -> bool:
    """Whether an input was had before, and is only counted."""
    first = events[0]
    return isinstance(first, Ignored) and first.reason is Reason.DUPLICATE
