"""The lane: the one session that drains a database's outbox, from taking it to giving it up.

See docs/architecture.md, "Relay". The lock is the session's, so that it is free as soon
as the session is gone; any error ends the session, and whoever drains has to take the lane anew.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg

from sagaline.chassis import lane_rows
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.faults import LOST
from sagaline.chassis.fresh import Fresh, Row
from sagaline.chassis.lane_rows import Backlog, Verdict

LOCK_CLASS = 0x5A6A  # first half of the advisory lock's key; the second is the lane's number
QUESTION_TIMEOUT_S = 5.0
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
    "plan_cache_mode": "force_generic_plan",  # and not anew for the ids of each round
    "jit": "off",
}

TAKE = "SELECT pg_try_advisory_lock($1, $2)"

RAISE_EPOCH = """
    INSERT INTO sagaline.lanes AS held (lane, epoch, owner) VALUES ($1, 1, $2)
    ON CONFLICT (lane) DO UPDATE SET epoch = held.epoch + 1, owner = excluded.owner
    RETURNING epoch
"""


class LaneLost(PlatformError):
    """The session that drains outbox lane {lane} is gone: {reason}."""


class Lane:
    """A session on a service's database. `owner` is shown to people, nothing depends on it.

    `fresh` is kept while the lane is held, and saves reading what this process has written; what
    another process has written, it says by `tell`, and then `told` is called.

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
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._database_url = database_url
        self._settings = SESSION | {
            "idle_session_timeout": str(idle_session_timeout_ms),
            "idle_in_transaction_session_timeout": str(idle_session_timeout_ms),
            # To the server a session is not idle between asking for a plan and using it.
            "transaction_timeout": str(int(1000 * QUESTION_TIMEOUT_S)),
        }
        self._number = number
        self._owner = owner
        self._fresh = fresh
        self._told = told
        self._channel = f"sagaline_lane_{number}"
        self._connection: asyncpg.Connection | None = None
        self._epoch: int | None = None
        self._acked: list[int] = []  # of this session; they stand in the outbox until it looks

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
                await session.add_listener(self._channel, lambda *_: self._told())
            return self._epoch is not None

    async def tell(self) -> None:
        """Whoever has the lane hears that there are rows.

        Not said by the rows' own transaction: such transactions commit one after the other.
        """
        async with self._session() as session:
            await session.execute(f"NOTIFY {self._channel}")

    def acked(self, ids: Sequence[int]) -> None:
        """Kafka has these rows: they are not visible any more, and go with the next look."""
        self._acked.extend(ids)

    async def visible(self, limit: int, *, without_topics: Sequence[str] = ()) -> list[Row]:
        """The lowest rows that may be published, in id order; those that were acked are gone.

        Raises LaneLost, and leaves all rows, under a newer epoch than ours.
        """
        async with self._held() as session:
            found = await self._sweep(session, limit, without_topics)
            taken = (self._fresh.take(id_, message_id) for id_, message_id in found)
            rows = {row.id: row for row in taken if row is not None}
            if missing := [id_ for id_, _ in found if id_ not in rows]:
                rows |= {row.id: row for row in await lane_rows.read(session, missing)}
            return [rows[id_] for id_, _ in found if id_ in rows]

    async def _sweep(
        self, session: asyncpg.Connection, limit: int, without_topics: Sequence[str] = ()
    ) -> list[tuple[int, UUID]]:
        found = await lane_rows.sweep(
            session,
            self._acked,
            lane=self._number,
            epoch=self._epoch,
            limit=limit,
            without_topics=without_topics,
        )
        if found is None:
            raise LaneLost(lane=self._number, reason=NEWER_EPOCH)
        self._acked.clear()
        return found

    async def followers(self, limit: int) -> list[Row]:
        """The lowest rows that wait behind a quarantined one of their key."""
        async with self._held() as session:
            return await lane_rows.followers(session, limit)

    async def quarantine(self, verdicts: Sequence[Verdict], now: datetime) -> list[Verdict]:
        """These rows are set aside, and the notices for their sagas wait to be published.

        Says which: not one that was behind another, if an operator has released that since. Raises
        LaneLost under a newer epoch than ours.
        """
        async with self._held() as session, session.transaction():
            if not await lane_rows.lock(session, lane=self._number, epoch=self._epoch):
                raise LaneLost(lane=self._number, reason=NEWER_EPOCH)
            return await lane_rows.quarantine(session, verdicts, now)

    async def backlog(self) -> Backlog:
        """How much waits; asked each second, it also keeps the session from timing out."""
        async with self._held() as session:
            if self._acked:
                await self._sweep(session, 0)
            return await lane_rows.backlog(session)

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
        self._acked.clear()
        self._fresh.close()
        return connection
