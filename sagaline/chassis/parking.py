"""Parking: records that can't be handled step aside, with what follows them under their key.

See docs/architecture.md, "Parking". The row in `parked` is the truth and holds the record as it
was; a copy goes to the service's dead letter topic, and a parked command tells its saga.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from sagaline.chassis import positions
from sagaline.chassis.batch import Raw, key_of
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import ORIGIN, Encoded, Envelope, Outgoing, reply_id
from sagaline.chassis.errors import MalformedEnvelope
from sagaline.chassis.messages import Notice
from sagaline.chassis.parking_rate import ParkingRate
from sagaline.chassis.positions import Partition

BEHIND = "Behind"  # error class of a record that is parked only for what it follows
ERROR_CHARACTERS_MAX = 2_000


class Queue(NamedTuple):
    """What is kept in order by parking: the records of one key in one partition."""

    topic: str
    partition: int
    key: str

    @property
    def place(self) -> Partition:
        """The partition, whose row of positions counts the queue."""
        return (self.topic, self.partition)


def queue_of(raw: Raw) -> Queue:
    """The queue in which the record stands, or would."""
    return Queue(raw.topic, raw.partition, key_of(raw))


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that can't be handled, and why."""

    raw: Raw
    error_class: str
    error: str

    @classmethod
    def of(cls, raw: Raw, error: BaseException) -> "Poison":
        """The record with the error that it met."""
        said = str(error)[:ERROR_CHARACTERS_MAX].encode(errors="backslashreplace")
        return cls(raw, type(error).__name__, shown(said))


PARKED_QUEUES = """
    SELECT DISTINCT held.topic, held.partition, held.key FROM sagaline.parked AS held
    JOIN unnest($1::text[], $2::int[], $3::text[]) AS given(topic, partition, key)
        ON held.topic = given.topic AND held.partition = given.partition AND held.key = given.key
"""

INSERT = """
    INSERT INTO sagaline.parked
        (topic, partition, "offset", key, type, header_names, header_values, value,
         error_class, error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (topic, partition, "offset") DO NOTHING
"""


async def parked_queues(tx: Transaction, batch: Sequence[Raw]) -> set[Queue]:
    """In which of its queues the batch finds records parked already."""
    given = sorted({queue_of(raw) for raw in batch})
    rows = await tx.fetch(
        PARKED_QUEUES,
        [queue.topic for queue in given],
        [queue.partition for queue in given],
        [queue.key for queue in given],
    )
    return {Queue(*row) for row in rows}


class Parking:
    """Parks records of one service, in the transaction that moves the positions past them."""

    def __init__(
        self,
        *,
        dead_letters_topic: str | None,
        replies_topic: str | None,
        command_topics: Collection[str],
        rate: ParkingRate,
    ) -> None:
        self._rate = rate
        self._dead_letters_topic = dead_letters_topic
        self._replies_topic = replies_topic
        self._command_topics = frozenset(command_topics)

    async def park(
        self, tx: Transaction, poisons: Sequence[Poison], parked: Collection[Queue]
    ) -> None:
        """Rows, copies and notices of `poisons` are written; `parked` are queues of before.

        The positions' rows are locked by `tx` already. Raises TooManyParked.
        """
        fresh = {queue_of(poison.raw) for poison in poisons} - set(parked)
        self._rate.check(len(fresh))
        tx.afterwards(lambda: self._rate.parked(len(fresh)))
        more = Counter(queue.place for queue in fresh)
        if more:
            await positions.count_parked_keys(tx, dict(sorted(more.items())))
        for poison in poisons:
            await tx.run(INSERT, *_row(poison))
            tx.publish(*self._copy(poison), *self._notice(poison))

    def _copy(self, poison: Poison) -> Iterable[Encoded]:
        """The dead letter: the record's own bytes, with where it stood and what went wrong."""
        if self._dead_letters_topic is None:
            return
        raw = poison.raw
        headers = {
            shown(name.encode()): shown(value) for name, value in raw.headers if value is not None
        }
        headers |= {
            ORIGIN: f"{raw.topic}/{raw.partition}/{raw.offset}",
            "sagaline-error-class": poison.error_class,
            "sagaline-error": poison.error,
        }
        kind = headers.get("ce_type", "unknown")
        yield Encoded(self._dead_letters_topic, key_of(raw), kind, uuid4(), headers, raw.value)

    def _notice(self, poison: Poison) -> Iterable[Outgoing]:
        """`parked`, to the saga whose command this is; a record that can't say so tells nobody."""
        if poison.raw.topic not in self._command_topics or self._replies_topic is None:
            return
        try:
            envelope = Envelope.parse(poison.raw.headers)
        except MalformedEnvelope:
            return
        parts = (envelope.saga_id, envelope.step, envelope.direction, envelope.generation)
        if None in parts:  # the saga's side could not take it, and would park its replies
            return
        yield Outgoing(
            Notice(code=poison.error_class, detail=poison.error),
            topic=self._replies_topic,
            key=envelope.subject,
            id=reply_id(envelope.id, "parked"),
            traceparent=envelope.traceparent,
            saga_id=envelope.saga_id,
            step=envelope.step,
            direction=envelope.direction,
            generation=envelope.generation,
            outcome="parked",
            causation_id=envelope.id,
        )


def _row(poison: Poison) -> tuple[object, ...]:
    raw = poison.raw
    kind = next((value for name, value in raw.headers if name == "ce_type"), None)
    return (
        raw.topic,
        raw.partition,
        raw.offset,
        key_of(raw),
        None if kind is None else shown(kind),
        [shown(name.encode()) for name, _ in raw.headers],
        [value for _, value in raw.headers],
        raw.value,
        poison.error_class,
        poison.error,
    )


def shown(value: bytes) -> str:
    """The bytes as text that PostgreSQL can hold; what is none is escaped."""
    return value.decode(errors="backslashreplace").replace("\0", "\\x00")
