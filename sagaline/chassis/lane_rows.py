"""Rows of the outbox as the drainer of its lane sees them: every statement that it makes of them.

See docs/architecture.md, "Relay" and "Dead letters". What writes asks for the lane's epoch in the
same statement or transaction: a session that has lost the lane changes nothing.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from sagaline.chassis.envelope import ORIGIN, Encoded
from sagaline.chassis.fresh import Row

COUNTED_ROWS_MAX = 100_000  # a backlog is counted up to here

# A quarantined row holds back what follows under its key, but for notices that tell a saga so.
# A dead letter holds nothing back: it is a copy, for people, of what stands in `parked`.
# Headers are looked into last: hardly ever is there a row before.
BEHIND = f"""(
    EXISTS (
        SELECT FROM sagaline.outbox AS bad
        WHERE bad.quarantined_at IS NOT NULL AND bad.key = waiting.key AND bad.id < waiting.id
            AND bad.headers ->> '{ORIGIN}' IS NULL
    ) AND waiting.headers ->> 'ce_sagaoutcome' IS DISTINCT FROM 'parked'
)"""  # noqa: S608 - all parts are written here

# What was acked goes with the next look at what waits: one round trip for both.
SWEEP = f"""
    WITH mine AS (SELECT FROM sagaline.lanes WHERE lane = $1 AND epoch = $2),
        gone AS (DELETE FROM sagaline.outbox WHERE id = ANY ($3) AND EXISTS (SELECT FROM mine)),
        lowest AS (
            SELECT id, message_id FROM sagaline.outbox AS waiting
            WHERE quarantined_at IS NULL AND topic <> ALL ($5::text[]) AND NOT {BEHIND}
                AND id NOT IN (SELECT unnest($3::bigint[]))
            ORDER BY id LIMIT $4
        )
    SELECT EXISTS (SELECT FROM mine), array_agg(id ORDER BY id), array_agg(message_id ORDER BY id)
    FROM lowest
"""  # noqa: S608 - all parts are written here

ROWS = """
    SELECT id, topic, key, headers, payload, created_at FROM sagaline.outbox WHERE id = ANY ($1)
"""

FOLLOWERS = f"""
    SELECT id, topic, key, headers, payload, created_at FROM sagaline.outbox AS waiting
    WHERE quarantined_at IS NULL AND {BEHIND}
    ORDER BY id LIMIT $1
"""  # noqa: S608 - all parts are written here

# Operators lock it, too: what stands before a row is not released while the row is judged by it.
LOCK = "SELECT true FROM sagaline.lanes WHERE lane = $1 AND epoch = $2 FOR UPDATE"

QUARANTINE = f"""
    UPDATE sagaline.outbox AS waiting SET quarantined_at = clock_timestamp(), error = $2
    WHERE id = $1 AND (NOT $3 OR {BEHIND})
"""  # noqa: S608 - all parts are written here

INSERT = """
    INSERT INTO sagaline.outbox (topic, key, type, message_id, headers, payload, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

BACKLOG = """
    SELECT
        (SELECT count(*) FROM (SELECT FROM sagaline.outbox LIMIT $1) AS counted) AS rows,
        (SELECT count(*) FROM sagaline.outbox WHERE quarantined_at IS NOT NULL) AS quarantined,
        (
            SELECT created_at FROM sagaline.outbox WHERE quarantined_at IS NULL ORDER BY id LIMIT 1
        ) AS waits_since
"""


class Backlog(NamedTuple):
    """How many rows stand in the outbox (counted up to 100,000), and how many quarantined.

    `waits_since`: when the oldest one that is to be published was written; None if none is.
    """

    rows: int
    quarantined: int
    waits_since: datetime | None


class Verdict(NamedTuple):
    """This row can't be published, ever, or is `behind` one of its key that can't be.

    `notice` tells its saga, where it has one.
    """

    row: Row
    error: str
    notice: Encoded | None
    behind: bool = False


async def sweep(
    session: asyncpg.Connection,
    acked: Sequence[int],
    *,
    lane: int,
    epoch: int | None,
    limit: int,
    without_topics: Sequence[str] = (),
) -> list[tuple[int, UUID]] | None:
    """Delete the acked rows: ids and messages' ids of the lowest that may be published, in order.

    None, and nothing is deleted, under another epoch than this.
    """
    found = await session.fetchrow(SWEEP, lane, epoch, acked, limit, list(without_topics))
    assert found is not None
    mine, ids, message_ids = found
    return list(zip(ids or (), message_ids or (), strict=True)) if mine else None


async def read(session: asyncpg.Connection, ids: Sequence[int]) -> list[Row]:
    """These rows, as far as they are there, in any order."""
    return _rows(await session.fetch(ROWS, ids))


async def followers(session: asyncpg.Connection, limit: int) -> list[Row]:
    """The lowest rows that wait behind a quarantined one of their key."""
    return _rows(await session.fetch(FOLLOWERS, limit))


async def lock(session: asyncpg.Connection, *, lane: int, epoch: int | None) -> bool:
    """The lane is locked until the transaction's end; False under another epoch than this."""
    return bool(await session.fetchval(LOCK, lane, epoch))


async def quarantine(
    session: asyncpg.Connection, verdicts: Sequence[Verdict], now: datetime
) -> list[Verdict]:
    """These rows are set aside, and their notices wait to be published; says which.

    One that was behind another is not, if an operator has released that since.
    """
    found: list[Verdict] = []
    for verdict in verdicts:
        row, error, notice, behind = verdict
        if await session.execute(QUARANTINE, row.id, error, behind) != "UPDATE 1":
            continue
        found.append(verdict)
        if notice is not None:
            await session.execute(INSERT, *_columns(notice), now)
    return found


async def backlog(session: asyncpg.Connection) -> Backlog:
    """How much waits."""
    found = await session.fetchrow(BACKLOG, COUNTED_ROWS_MAX)
    assert found is not None
    return Backlog(*found)


def _rows(found: Iterable[asyncpg.Record]) -> list[Row]:
    return [
        Row(id_, topic, key, json.loads(headers), payload, created_at)
        for id_, topic, key, headers, payload, created_at in found
    ]


def _columns(message: Encoded) -> tuple[object, ...]:
    headers = json.dumps(dict(message.headers))
    return (message.topic, message.key, message.type, message.id, headers, message.value)
