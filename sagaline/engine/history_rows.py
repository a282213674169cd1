"""Histories in the database: a row for each accepted input, with its message's own bytes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.engine.events import Event
from sagaline.engine.held import Held
from sagaline.engine.history import (
    Entry,
    events_from_json,
    events_to_json,
    input_from_json,
    input_to_json,
)

INSERT = """
    INSERT INTO history (key, saga_id, version, definition_version, now, received, events,
        message_id, topic, partition, "offset", message)
    SELECT key, saga_id, version, definition_version, now, CAST(received AS json),
        CAST(events AS json), message_id, topic, partition, "offset", message
    FROM unnest($1::text[], $2::uuid[], $3::bigint[],
            $4::int[], $5::timestamptz[],
            $6::text[], $7::text[], $8::uuid[],
            $9::text[], $10::int[], $11::bigint[],
            $12::bytea[])
        AS given(key, saga_id, version, definition_version, now, received, events, message_id,
            topic, partition, "offset", message)
"""

SELECT = """
    SELECT version, definition_version, now, CAST(received AS text) AS received,
        CAST(events AS text) AS events, message_id, topic, partition, "offset", message
    FROM history WHERE key = $1 AND saga_id = $2 ORDER BY version
"""

SINCE = """
    SELECT history.saga_id, history.now, CAST(history.events AS text) AS events, history.message
    FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS given(key, saga_id, version)
    JOIN history ON history.key = given.key AND history.saga_id = given.saga_id
        AND history.version > given.version
    ORDER BY history.key, history.saga_id, history.version
"""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One accepted input as it was stored; the coordinates are None for a timer's."""

    version: int
    entry: Entry
    message_id: UUID | None
    topic: str | None
    partition: int | None
    offset: int | None


async def append(tx: Transaction, sagas: Sequence[Held]) -> None:
    """Keep what these sagas accepted in this transaction."""
    rows = [(held, accepted) for held in sagas for accepted in held.accepted]
    if not rows:
        return
    records = [accepted.record for _, accepted in rows]
    await tx.run(
        INSERT,
        [held.state.key for held, _ in rows],
        [held.state.saga_id for held, _ in rows],
        [accepted.version for _, accepted in rows],
        [held.state.definition.version for held, _ in rows],
        [accepted.entry.now for _, accepted in rows],
        [to_json(input_to_json(accepted.entry.received)).decode() for _, accepted in rows],
        [to_json(events_to_json(accepted.entry.events)).decode() for _, accepted in rows],
        [None if record is None else record.envelope.id for record in records],
        [None if record is None else record.topic for record in records],
        [None if record is None else record.partition for record in records],
        [None if record is None else record.offset for record in records],
        [None if record is None else record.value for record in records],
    )


async def read(tx: Transaction, codec: Codec, *, key: str, saga_id: UUID) -> list[HistoryRow]:
    """A saga's history in order, messages decoded."""
    rows = await tx.fetch(SELECT, key, saga_id)
    return [
        HistoryRow(
            row["version"],
            _entry(codec, row),
            row["message_id"],
            row["topic"],
            row["partition"],
            row["offset"],
        )
        for row in rows
    ]


async def events_since(
    tx: Transaction, codec: Codec, given: Sequence[tuple[str, UUID, int]]
) -> dict[UUID, list[Event]]:
    """What has happened to each saga, of a key and an id, since it was at that version."""
    keys, saga_ids, versions = zip(*given, strict=True)
    found: dict[UUID, list[Event]] = {saga_id: [] for saga_id in saga_ids}
    for row in await tx.fetch(SINCE, keys, saga_ids, versions):
        message = _message(codec, row)
        found[row["saga_id"]] += events_from_json(json.loads(row["events"]), message, row["now"])
    return found


def _entry(codec: Codec, row: asyncpg.Record) -> Entry:
    message, now = _message(codec, row), row["now"]
    received = input_from_json(json.loads(row["received"]), message)
    return Entry(received, now, tuple(events_from_json(json.loads(row["events"]), message, now)))


def _message(codec: Codec, row: asyncpg.Record) -> object:
    return None if row["message"] is None else codec.decode(row["message"])
