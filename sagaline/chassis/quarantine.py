"""Quarantine: which rows of the outbox can never be published, and who is told.

Most errors pass: they say nothing about a row. Kafka refuses whole batches, so a refused batch's
rows go out one by one until the one that is at fault has been refused alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnknownError,
    UnsupportedForMessageFormatError,
)

from sagaline.chassis.envelope import ORIGIN, Envelope, Outgoing, reply_id
from sagaline.chassis.fresh import Row
from sagaline.chassis.messages import Notice
from sagaline.chassis.producer import Failure, Published

# The broker will say the same for ever, of this row or of another one in its batch.
PERMANENT = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnsupportedForMessageFormatError,
)


def is_permanent(failure: Failure) -> bool:
    """Sending the same again would be in vain."""
    return isinstance(failure.error, PERMANENT)


class Quarantine:
    """Judges the rounds of one drainer; what it remembers may be forgotten at any time."""

    def __init__(self, *, tries_max: int, retry_ms: int, clock: Callable[[], datetime]) -> None:
        self._tries_max = tries_max
        self._retry = timedelta(milliseconds=retry_ms)
        self._clock = clock
        self._suspects: dict[int, int] = {}  # times refused alone, by row id
        self._unknown: dict[str, tuple[int, datetime]] = {}  # by topic: tries, next one due

    @property
    def alone(self) -> Mapping[int, int]:
        """Ids of the rows that are to be sent in batches of their own."""
        return self._suspects

    def held_topics(self) -> list[str]:
        """Topics that did not exist a moment ago, and are not asked for again yet."""
        now = self._clock()
        return [topic for topic, (_, due) in self._unknown.items() if now < due]

    def judge(self, rows: Sequence[Row], published: Published) -> list[tuple[Row, str]]:
        """Those of a round's rows that have to be set aside, each with the error."""
        for topic in {row.topic for row in rows} - published.unknown.keys():
            self._unknown.pop(topic, None)
        for id_ in published.acked:
            self._suspects.pop(id_, None)
        return [
            *(guilty for failure in published.failures for guilty in self._refused(failure)),
            *(guilty for topic in published.unknown.items() for guilty in self._homeless(*topic)),
        ]

    def _refused(self, failure: Failure) -> Iterator[tuple[Row, str]]:
        # A broker's code that the client doesn't know, such as INVALID_RECORD, may be about a row.
        if not (is_permanent(failure) or isinstance(failure.error, UnknownError)):
            return
        if len(failure.rows) > 1:
            self._suspects.update((row.id, 0) for row in failure.rows)
            return
        (row,) = failure.rows
        tries = self._suspects.pop(row.id, 0) + 1
        if is_permanent(failure) or tries >= self._tries_max:
            yield row, f"{type(failure.error).__name__}: {failure.error}"
        else:
            self._suspects[row.id] = tries

    def _homeless(self, topic: str, rows: Sequence[Row]) -> Iterator[tuple[Row, str]]:
        tries = min(self._unknown.get(topic, (0, None))[0] + 1, self._tries_max)
        self._unknown[topic] = (tries, self._clock() + self._retry)
        if tries >= self._tries_max:
            # What follows under a key waits behind its first row, and is not judged itself.
            first = {row.key: row for row in reversed(rows)}
            for row in first.values():
                yield row, f"Kafka has no topic {topic}"


class Unsent(Protocol):
    """A row of the outbox, for whoever reads it."""

    @property
    def topic(self) -> str:
        """Where it was to go."""

    @property
    def key(self) -> str:
        """Under which key."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its envelope."""


def notice_of(row: Unsent, error: str) -> Outgoing | None:
    """`parked` for the step that waits for this reply; None when it is no reply of a step."""
    if row.headers.get("ce_sagaoutcome") == "parked":
        return None  # it says so itself
    return in_place_of(row, "parked", Notice(code="unpublishable", detail=error))


def in_place_of(row: Unsent, outcome: str, notice: Notice) -> Outgoing | None:
    """This outcome for the step that waits for this reply; None when it is no reply of a step.

    Raises MalformedEnvelope.
    """
    if ORIGIN in row.headers:
        return None  # a copy for people: no saga waits for it
    envelope = Envelope.parse((name, text.encode()) for name, text in row.headers.items())
    cause = envelope.causation_id
    if envelope.outcome is None or envelope.saga_id is None or cause is None:
        return None
    return Outgoing(
        notice,
        topic=row.topic,
        key=row.key,
        id=reply_id(cause, outcome),
        traceparent=envelope.traceparent,
        saga_id=envelope.saga_id,
        step=envelope.step,
        direction=envelope.direction,
        generation=envelope.generation,
        outcome=outcome,
        causation_id=cause,
    )
