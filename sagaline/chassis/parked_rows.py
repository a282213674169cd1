"""Parked records in the database: looked at, and taken out in the order of their key.

The first of a queue and its size may be trusted while the queue's row of positions is locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from sagaline.chassis import positions
from sagaline.chassis.batch import Raw, header_bytes
from sagaline.chassis.database import Transaction
from sagaline.chassis.interventions import Subject
from sagaline.chassis.parking import Queue, shown

COLUMNS = """
    id, topic, partition, "offset", key, type, header_names, header_values, value, error_class,
    error, parked_at, redrives, redriven_at
"""

# Each plan begins at an index: ids, or a queue's records.
PAGE = f"""
    SELECT {COLUMNS} FROM sagaline.parked
    WHERE id > $1 AND ($2::text IS NULL OR topic = $2) AND ($3::text IS NULL OR key = $3)
        AND ($4::text IS NULL OR error_class = $4)
    ORDER BY id LIMIT $5
"""  # noqa: S608 - all parts are written here

ONE = f"SELECT {COLUMNS} FROM sagaline.parked WHERE id = $1"  # noqa: S608 - as above

IN_QUEUE = "topic = $1 AND partition = $2 AND key = $3"

FROM = f"""
    SELECT {COLUMNS} FROM sagaline.parked WHERE {IN_QUEUE} AND "offset" >= $4
    ORDER BY "offset" LIMIT $5
"""  # noqa: S608 - as above

SIZE = f"""
    SELECT count(*) FROM sagaline.parked WHERE {IN_QUEUE} AND "offset" >= $4
"""  # noqa: S608 - as above

# What stands behind another is no reason of its own to look at a queue.
QUEUES = """
    SELECT topic, partition, key, min(id) AS first FROM sagaline.parked
    WHERE ($2::text IS NULL OR topic = $2) AND ($3::text IS NULL OR key = $3)
    GROUP BY topic, partition, key
    HAVING min(id) > $1 AND ($4::text IS NULL OR bool_or(error_class = $4))
    ORDER BY first LIMIT $5
"""

DELETE = "DELETE FROM sagaline.parked WHERE id = $1"

FAILED = """
    UPDATE sagaline.parked
    SET error_class = $2, error = $3, redrives = redrives + 1, redriven_at = clock_timestamp()
    WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """One row: the record as it stood, and how it came and comes to be here."""

    id: int
    raw: Raw
    key: str
    type: str | None
    error_class: str
    error: str
    parked_at: datetime
    redrives: int
    redriven_at: datetime | None

    @property
    def queue(self) -> Queue:
        """The records that are handled one after the other with this one."""
        return Queue(self.raw.topic, self.raw.partition, self.key)

    @property
    def subject(self) -> Subject:
        """What an intervention keeps of it."""
        named = header_bytes(self.raw, "ce_id")
        return Subject(
            kind="parked",
            id=self.id,
            topic=self.raw.topic,
            key=self.key,
            partition=self.raw.partition,
            offset=self.raw.offset,
            type=self.type,
            message_id=None if named is None else shown(named),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records; None: whichever."""

    topic: str | None = None
    key: str | None = None
    error_class: str | None = None


async def page(tx: Transaction, wanted: Filter, *, after: int, limit: int) -> list[ParkedRecord]:
    """At most `limit` records with ids above `after`, in the order in which they were parked."""
    rows = await tx.fetch(PAGE, after, wanted.topic, wanted.key, wanted.error_class, limit)
    return _records(rows)


async def find(tx: Transaction, id_: int) -> ParkedRecord | None:
    """The record of this id, if it is parked still."""
    return next(iter(_records(await tx.fetch(ONE, id_))), None)


async def queues(
    tx: Transaction, wanted: Filter, *, after: int, limit: int
) -> list[tuple[Queue, int]]:
    """Queues in which such a record stands, each with the lowest id in it, which is the order."""
    rows = await tx.fetch(QUEUES, after, wanted.topic, wanted.key, wanted.error_class, limit)
    return [(Queue(row["topic"], row["partition"], row["key"]), row["first"]) for row in rows]


async def of_queue(
    tx: Transaction, queue: Queue, *, limit: int, offset: int = 0
) -> list[ParkedRecord]:
    """At most `limit` records of the queue in order, from `offset` of the log on."""
    return _records(await tx.fetch(FROM, *queue, offset, limit))


async def size(tx: Transaction, queue: Queue, *, offset: int = 0) -> int:
    """How many records stand in the queue, from `offset` of the log on."""
    return int((await tx.fetch(SIZE, *queue, offset))[0][0])


async def take_out(tx: Transaction, record: ParkedRecord) -> int:
    """The record is parked no more, and with the last of its queue the key is free.

    Says how many are left; the queue's row of positions is locked by `tx`.
    """
    deleted = await tx.run(DELETE, record.id)
    assert deleted == 1, record.id
    left = await size(tx, record.queue)
    if not left:
        await positions.count_parked_keys(tx, {record.queue.place: -1})
    return left


async def failed(tx: Transaction, record: ParkedRecord, error_class: str, error: str) -> bool:
    """The record stays, with its newest error; False if it is parked no more."""
    return bool(await tx.run(FAILED, record.id, error_class, error))


def _records(rows: Sequence[asyncpg.Record]) -> list[ParkedRecord]:
    return [_record(row) for row in rows]


def _record(row: asyncpg.Record) -> ParkedRecord:
    headers = tuple(zip(row["header_names"], row["header_values"], strict=True))
    raw = Raw(
        row["topic"], row["partition"], row["offset"], row["key"].encode(), headers, row["value"]
    )
    return ParkedRecord(
        row["id"],
        raw,
        row["key"],
        row["type"],
        row["error_class"],
        row["error"],
        row["parked_at"],
        row["redrives"],
        row["redriven_at"],
    )
