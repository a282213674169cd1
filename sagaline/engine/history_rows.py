"""Histories in the database: a row for each accepted input, with its message's own bytes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Transaction
from sagaline.engine.held import Accepted, Held
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
    SELECT key, saga_id, version, definition_version, now, CAST(received AS jsonb),
        CAST(events AS jsonb), message_id, topic, partition, "offset", message
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
        [_received(accepted) for _, accepted in rows],
        [json.dumps(events_to_json(accepted.entry.events)) for _, accepted in rows],
        [None if record is None else record.envelope.id for record in records],
        [None if record is None else record.topic for record in records],
        [None if record is None else record.partition for record in records],
        [None if record is None else record.offset for record in records],
        [None if record is None else record.value for record in records],
    )


def _received(accepted: Accepted) -> str:
    return json.dumps(input_to_json(accepted.entry.received))


async def read(tx: Transaction, codec: Codec, *, key: str, saga_id: UUID) -> list[HistoryRow]:
    """A saga's history in order, messages decoded."""
    rows = await tx.fetch(SELECT, key, saga_id)
    return [
        HistoryRow(
            row["version"],
            _entry(codec, row["received"], row["events"], row["now"], row["message"]),
            row["message_id"],
            row["topic"],
            row["partition"],
            row["offset"],
        )
        for row in rows
    ]


def _entry(codec: Codec, received: str, events: str, now: datetime, message: bytes | None) -> Entry:
    payload = None if message is None else codec.decode(message)
    return Entry(
        input_from_json(json.loads(received), payload),
        now,
        tuple(events_from_json(json.loads(events), payload)),
    )
