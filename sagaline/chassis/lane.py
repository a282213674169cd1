"""The lane: the one session that drains a database's outbox, and the rows as it sees them.

See docs/architecture.md, "Relay". The lock is the session's, so that it is free as soon
as the session is gone; any error ends the session, and whoever drains has to take the lane anew.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import asyncpg

from sagaline.chassis.envelope import ORIGIN, Encoded
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.faults import LOST
from sagaline.chassis.fresh import Fresh, Row

LOCK_CLASS = 0x5A6A  # first half of the advisory lock's key; the second is the lane's number
QUESTION_TIMEOUT_S = 5.0
COUNTED_ROWS_MAX = 100_000  # a backlog is counted up to here
NEWER_EPOCH = "another session has taken it since"
SESSION_ENDS = (*LOST, asyncpg.PostgresError)

SESSION = {
    "application_name": "sagaline-relay",
    # A delete that a crash of the database forgets is a row sent twice, which barriers absorb.
    "synchronous_commit": "off",
    # Statistics of a table that is empty most of the time lie: the plan is written down instead,
    # the primary key's order and a look into the small index of quarantined rows.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_sort": "off",
    "jit": "off",
}

TAKE = "SELECT pg_try_advisory_lock($1, $2)"

RAISE_EPOCH = """
    INSERT INTO sagaline.lanes AS held (lane, epoch, owner) VALUES ($1, 1, $2)
    ON CONFLICT (lane) DO UPDATE SET epoch = held.epoch + 1, owner = excluded.owner
    RETURNING epoch
"""

# A quarantined row holds back what follows under its key, but for notices that tell a saga so.
# A dead letter holds nothing back: it is a copy, for people, of what stands in `parked`.
BEHIND = f"""(
    waiting.headers ->> 'ce_sagaoutcome' IS DISTINCT FROM 'parked' AND EXISTS (
        SELECT FROM sagaline.outbox AS bad
        WHERE bad.quarantined_at IS NOT NULL AND bad.key = waiting.key AND bad.id < waiting.id
            AND bad.headers ->> '{ORIGIN}' IS NULL
    )
)"""

VISIBLE = f"""
    SELECT id, message_id FROM sagaline.outbox AS waiting
    WHERE quarantined_at IS NULL AND topic <> ALL ($2::text[]) AND NOT {BEHIND}
    ORDER BY id LIMIT $1
"""  # noqa: S608 - all parts are written here

ROWS = """
    SELECT id, topic, key, headers, payload, created_at FROM sagaline.outbox WHERE id = ANY ($1)
"""

FOLLOWERS = f"""
    SELECT id, topic, key, headers, payload, created_at FROM sagaline.outbox AS waiting
    WHERE quarantined_at IS NULL AND {BEHIND}
    ORDER BY id LIMIT $1
"""  # noqa: S608 - all parts are written here

DELETE = """
    WITH mine AS (SELECT FROM sagaline.lanes WHERE lane = $1 AND epoch = $2),
        gone AS (DELETE FROM sagaline.outbox WHERE id = ANY ($3) AND EXISTS (SELECT FROM mine))
    SELECT EXISTS (SELECT FROM mine)
"""

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
        (SELECT count(*) FROM sagaline.outbox WHERE quarantined_at IS NOT NULL) AS quarantined
"""


class LaneLost(PlatformError):
    """The session that drains outbox lane {lane} is gone: {reason}."""


class Backlog(NamedTuple):
    """How many rows stand in the outbox (counted up to 100,000), and how many quarantined."""

    rows: int
    quarantined: int


class Verdict(NamedTuple):
    """This row can't be published, ever, or is `behind` one of its key that can't be.

    `notice` tells its saga, where it has one.
    """

    row: Row
    error: str
    notice: Encoded | None
    behind: bool = False


class Lane:
    """A session on a service's database. `owner` is shown to people, nothing depends on it.

    `fresh` is kept while the lane is held, and saves reading what this process has written.

    The server ends a session that is silent for `idle_session_timeout_ms`: that of a process that
    was stopped, or is cut off, does not hold the lane.
    """

    def __init__(
        self,
        database_url: str,
        *,
        number: int,
        owner: str,
        idle_session_timeout_ms: int,
        fresh: Fresh,
    ) -> None:
        self._database_url = database_url
        self._settings = SESSION | {
            "idle_session_timeout": str(idle_session_timeout_ms),
            "idle_in_transaction_session_timeout": str(idle_session_timeout_ms),
        }
        self._number = number
        self._owner = owner
        self._fresh = fresh
        self._connection: asyncpg.Connection | None = None
        self._epoch: int | None = None

    @property
    def taken(self) -> bool:
        """The lane is ours, as far as we know."""
        return self._epoch is not None

    @property
    def backend_pid(self) -> int | None:
        """The session's process at the server, while there is one."""
        return None if self._connection is None else self._connection.get_server_pid()

    async def try_take(self) -> bool:
        """The lane is ours, from now or from before; False while another session has it."""
        async with self._session() as session:
            if self._epoch is not None:
                await session.execute("SELECT")
            elif await session.fetchval(TAKE, LOCK_CLASS, self._number):
                self._epoch = await session.fetchval(RAISE_EPOCH, self._number, self._owner)
                self._fresh.open()
            return self._epoch is not None

    async def visible(self, limit: int, *, without_topics: Sequence[str] = ()) -> list[Row]:
        """The lowest rows that may be published, in id order."""
        async with self._held() as session:
            found = await session.fetch(VISIBLE, limit, list(without_topics))
            taken = (self._fresh.take(id_, message_id) for id_, message_id in found)
            rows = {row.id: row for row in taken if row is not None}
            if missing := [id_ for id_, _ in found if id_ not in rows]:
                rows |= {row.id: row for row in _rows(await session.fetch(ROWS, missing))}
            return [rows[id_] for id_, _ in found if id_ in rows]

    async def followers(self, limit: int) -> list[Row]:
        """The lowest rows that wait behind a quarantined one of their key."""
        async with self._held() as session:
            return _rows(await session.fetch(FOLLOWERS, limit))

    async def delete(self, ids: Sequence[int]) -> None:
        """These rows are gone. Raises LaneLost, and leaves them, under a newer epoch than ours."""
        async with self._held() as session:
            if not await session.fetchval(DELETE, self._number, self._epoch, ids):
                raise LaneLost(lane=self._number, reason=NEWER_EPOCH)

    async def quarantine(self, verdicts: Sequence[Verdict], now: datetime) -> list[Verdict]:
        """These rows are set aside, and the notices for their sagas wait to be published.

        Says which: not one that was behind another, if an operator has released that since. Raises
        LaneLost under a newer epoch than ours.
        """
        async with self._held() as session, session.transaction():
            if not await session.fetchval(LOCK, self._number, self._epoch):
                raise LaneLost(lane=self._number, reason=NEWER_EPOCH)
            found: list[Verdict] = []
            for verdict in verdicts:
                row, error, notice, behind = verdict
                if await session.execute(QUARANTINE, row.id, error, behind) != "UPDATE 1":
                    continue
                found.append(verdict)
                if notice is not None:
                    await session.execute(INSERT, *_columns(notice), now)
            return found

    async def backlog(self) -> Backlog:
        """How much waits; asked each second, it also keeps the session from timing out."""
        async with self._held() as session:
            found = await session.fetchrow(BACKLOG, COUNTED_ROWS_MAX)
            assert found is not None
            return Backlog(*found)

    async def release(self) -> None:
        """The lane is free for others; without an error even when the database is away."""
        connection = self._gone()
        if connection is not None:
            try:
                await connection.close(timeout=1.0)
            except SESSION_ENDS:
                connection.terminate()

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[asyncpg.Connection]:
        """The session, which must have the lane."""
        if self._epoch is None:
            raise LaneLost(lane=self._number, reason="it is not taken")
        async with self._session() as session:
            yield session

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncpg.Connection]:
        """The session, opened when there is none; an error in the block ends it."""
        try:
            if self._connection is None:
                self._connection = await asyncpg.connect(
                    self._database_url,
                    timeout=QUESTION_TIMEOUT_S,
                    command_timeout=QUESTION_TIMEOUT_S,
                    server_settings=self._settings,
                )
            yield self._connection
        except SESSION_ENDS as error:
            self._drop()
            reason = f"{type(error).__name__}: {error}"
            raise LaneLost(lane=self._number, reason=reason) from error

    def _drop(self) -> None:
        connection = self._gone()
        if connection is not None:
            connection.terminate()

    def _gone(self) -> asyncpg.Connection | None:
        """The session, which is no longer ours, and nor is the lane."""
        connection, self._connection, self._epoch = self._connection, None, None
        self._fresh.close()
        return connection


def _rows(found: Iterable[asyncpg.Record]) -> list[Row]:
    return [
        Row(id_, topic, key, json.loads(headers), payload, created_at)
        for id_, topic, key, headers, payload, created_at in found
    ]


def _columns(message: Encoded) -> tuple[object, ...]:
    headers = json.dumps(dict(message.headers))
    return (message.topic, message.key, message.type, message.id, headers, message.value)
