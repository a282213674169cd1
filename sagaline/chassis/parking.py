"""Parking: records that can't be handled step aside, with what follows them under their key.

See docs/architecture.md, "Parking". The row in `parked` is the truth and holds the record as it
was; a copy goes to the service's dead letter topic, and a parked command tells its saga.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sagaline.chassis import positions
from sagaline.chassis.batch import Raw, key_of
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Encoded, Envelope, Outgoing, reply_id
from sagaline.chassis.errors import MalformedEnvelope
from sagaline.chassis.messages import Notice
from sagaline.chassis.positions import Partition

BEHIND = "Behind"  # error class of a record that is parked only for what it follows
ERROR_CHARACTERS_MAX = 2_000


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
        return cls(raw, type(error).__name__, _shown(said))


PARKED_KEYS = """
    SELECT DISTINCT held.topic, held.key FROM sagaline.parked AS held
    JOIN unnest($1::text[], $2::text[]) AS given(topic, key)
        ON held.topic = given.topic AND held.key = given.key
"""

INSERT = """
    INSERT INTO sagaline.parked
        (topic, partition, "offset", key, type, header_names, header_values, value,
         error_class, error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (topic, partition, "offset") DO NOTHING
"""


async def parked_keys(tx: Transaction, batch: Sequence[Raw]) -> set[tuple[str, str]]:
    """Which (topic, key) of the batch have records parked already."""
    given = sorted({(raw.topic, key_of(raw)) for raw in batch})
    rows = await tx.fetch(PARKED_KEYS, [topic for topic, _ in given], [key for _, key in given])
    return {(row["topic"], row["key"]) for row in rows}


class Parking:
    """Parks records of one service, in the transaction that moves the positions past them."""

    def __init__(
        self,
        *,
        dead_letters_topic: str | None,
        replies_topic: str | None,
        command_topics: Collection[str],
    ) -> None:
        self._dead_letters_topic = dead_letters_topic
        self._replies_topic = replies_topic
        self._command_topics = frozenset(command_topics)

    async def park(
        self, tx: Transaction, poisons: Sequence[Poison], parked: Collection[tuple[str, str]]
    ) -> None:
        """Rows, copies and notices of `poisons` are written; `parked` were parked keys before.

        The positions' rows are locked by `tx` already.
        """
        fresh = {(poison.raw.topic, key_of(poison.raw)) for poison in poisons} - set(parked)
        more = Counter(_partition(poison.raw) for poison in _first_of(poisons, fresh))
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
            _shown(name.encode()): _shown(value) for name, value in raw.headers if value is not None
        }
        headers |= {
            "sagaline-origin": f"{raw.topic}/{raw.partition}/{raw.offset}",
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


def _partition(raw: Raw) -> Partition:
    return (raw.topic, raw.partition)


def _first_of(poisons: Iterable[Poison], keys: Collection[tuple[str, str]]) -> list[Poison]:
    """One record of each of these keys."""
    first: dict[tuple[str, str], Poison] = {}
    for poison in poisons:
        first.setdefault((poison.raw.topic, key_of(poison.raw)), poison)
    return [poison for key, poison in first.items() if key in keys]


def _row(poison: Poison) -> tuple[object, ...]:
    raw = poison.raw
    kind = next((value for name, value in raw.headers if name == "ce_type"), None)
    return (
        raw.topic,
        raw.partition,
        raw.offset,
        key_of(raw),
        None if kind is None else _shown(kind),
        [_shown(name.encode()) for name, _ in raw.headers],
        [value for _, value in raw.headers],
        raw.value,
        poison.error_class,
        poison.error,
    )


def _shown(value: bytes) -> str:
    return value.decode(errors="backslashreplace").replace("\0", "\\x00")
