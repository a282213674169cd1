"""The services' databases, seen from outside: their rows, and the lanes of their relays."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias
from uuid import UUID

import asyncpg

from sagaline.chassis.lane import LOCK_CLASS
from sagaline.testing.platform import Platform
from tests.chaos.waiting import POLL_S, WITHIN_S, until

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Rows: TypeAlias = Mapping[str, Sequence[str]]  # of each table, as JSON

TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname IN ('public', 'sagaline') ORDER BY 1
"""
END_RELAY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'sagaline-relay' AND datname = current_database()
"""
SPOKEN = "SELECT count(*) = 0 FROM sagaline.outbox"
LOSE = "DELETE FROM sagaline.outbox WHERE key = $1 RETURNING message_id, topic"


@asynccontextmanager
async def connected(platform: Platform, service: str) -> AsyncIterator[Session]:
    """A session of the superuser's on the service's database."""
    session = await asyncpg.connect(platform.embedded.postgres.url(service))
    try:
        yield session
    finally:
        await session.close()


async def rows(platform: Platform, service: str, *, without: Collection[str]) -> Rows:
    """All rows of all tables of a service (`schema.table`), but for the tables named.

    Once it has said all that it had to say: acked rows go with the relay's next look.
    """
    async with connected(platform, service) as session:
        await until(lambda: session.fetchval(SPOKEN), "all that it had to say is said")
        tables = [name for (name,) in await session.fetch(TABLES) if name not in without]
        return {
            table: sorted(
                text for (text,) in await session.fetch(f"SELECT to_jsonb(t)::text FROM {table} t")
            )
            for table in tables
        }


class Muted:
    """A relay that publishes nothing; what waits in its outbox can be lost."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lose(self, order_id: UUID) -> UUID:
        """What the service wanted to say of the order will never be published; its reply's id."""
        lost = await until(
            lambda: self._session.fetch(LOSE, str(order_id)), "there is something to be said"
        )
        (reply,) = (row["message_id"] for row in lost if "replies" in row["topic"])
        assert isinstance(reply, UUID)
        return reply


@asynccontextmanager
async def muted(platform: Platform, service: str) -> AsyncIterator[Muted]:
    """The service handles what comes and says nothing: the lane of its outbox is the test's."""
    async with connected(platform, service) as session, connected(platform, service) as other:
        # Acked rows that are left behind would hold its offsets back.
        await until(lambda: other.fetchval(SPOKEN), "all that it had to say is said")
        taking = asyncio.create_task(
            session.execute("SELECT pg_advisory_lock($1, 0)", LOCK_CLASS), name="take the lane"
        )
        async with asyncio.timeout(WITHIN_S):
            while not taking.done():  # we wait in line, so it can't be taken before us for ever
                await other.execute(END_RELAY)
                await asyncio.wait({taking}, timeout=POLL_S)
        await taking
        yield Muted(session)
