"""A saga's history: accepted inputs, each with the events that it caused.

Messages are kept as bytes beside the history, at most one an input; reading takes it back. So
does it with the time: all that an input causes happens at its `now`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast, get_args

from sagaline.engine.codec import Codec, Plain
from sagaline.engine.events import Event
from sagaline.engine.inputs import Input
from sagaline.engine.machine import decide, fold
from sagaline.engine.state import SagaState
from sagaline.engine.value import value

INPUTS = Codec(*get_args(Input))
EVENTS = Codec(*get_args(Event))


class HistoryDiverged(Exception):
    """The definition decides a recorded input differently now than it did then."""


@value
class Entry:
    """One accepted input, the clock it was decided by, and what it caused."""

    received: Input
    now: datetime
    events: tuple[Event, ...]


def input_to_json(received: Input) -> dict[str, Plain]:
    """The input as a dict, without its message."""
    return INPUTS.write(received)


def input_from_json(written: Mapping[str, Plain], message: object) -> Input:
    """The input again; `message` is the one that it came with, None where it had none."""
    return cast(Input, INPUTS.read(written, message=message, reply=message))


def events_to_json(events: Iterable[Event]) -> list[Plain]:
    """One input's events as dicts, without the input's message and time."""
    return [EVENTS.write(event) for event in events]


def events_from_json(written: Iterable[Plain], message: object, now: datetime) -> list[Event]:
    """The events again; `message` is the one that their input came with at `now`."""
    rows = [cast(Mapping[str, Plain], row) for row in written]
    return [cast(Event, EVENTS.read(row, message=message, reply=message, at=now)) for row in rows]


def folded(saga: SagaState, history: Iterable[Entry]) -> SagaState:
    """The saga as its events leave it; `saga` is it before its first input."""
    for entry in history:
        saga = fold(saga, entry.events)
    return saga


def decided_again(saga: SagaState, history: Sequence[Entry]) -> SagaState:
    """The same, every input decided anew; HistoryDiverged where the events are others."""
    for entry in history:
        events = decide(saga, entry.received, entry.now)
        if tuple(events) != entry.events:
            raise HistoryDiverged(f"{entry.received}: {events}, but then {entry.events}")
        saga = fold(saga, events)
    return saga
