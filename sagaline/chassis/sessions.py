"""Sessions on a service's database: what the engine has opened is kept at hand between uses.

The engine's pool brings a greenlet and a dozen calls to each checkout and return, which cost as
much as four statements do. So a connection stays out once it is, and goes from use to use here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias

import asyncpg
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class Opened(NamedTuple):
    """One session: as Core knows it, and the driver's own behind that."""

    connection: AsyncConnection
    session: Session

    @property
    def lives(self) -> bool:
        """Neither the server nor one of us has ended it, as far as we know."""
        return not (self.session.is_closed() or self.connection.invalidated)


class Sessions:
    """At most as many as the engine's pool has; who waits for one longer than it allows fails."""

    def __init__(self, engine: AsyncEngine) -> None:
        pool = engine.pool
        assert isinstance(pool, QueuePool), pool
        self._engine = engine
        self._free = asyncio.Semaphore(pool.size())
        self._timeout_s = pool.timeout()
        self._used = 0
        self._idle: list[Opened] = []  # the one that was used last is used next: it is warm

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Opened]:
        """A living session, nobody else's for the block."""
        await self._turn()
        self._used += 1
        try:
            opened = await self._living()
            try:
                yield opened
            finally:
                self._idle.append(opened)
        finally:
            self._used -= 1
            self._free.release()

    @property
    def in_use(self) -> int:
        """How many somebody has now."""
        return self._used

    async def close(self) -> None:
        """End those that nobody uses."""
        while self._idle:
            await self._idle.pop().connection.close()
        await self._engine.dispose()

    async def _turn(self) -> None:
        if self._free.locked():
            async with asyncio.timeout(self._timeout_s):
                await self._free.acquire()
        else:
            await self._free.acquire()

    async def _living(self) -> Opened:
        while self._idle:
            opened = self._idle.pop()
            if opened.lives:
                return opened
            await _discard(opened.connection)
        return await self._open()

    async def _open(self) -> Opened:
        connection = await self._engine.connect()
        try:
            session = (await connection.get_raw_connection()).driver_connection
            assert isinstance(session, asyncpg.Connection), session
        except BaseException:
            await _discard(connection)
            raise
        return Opened(connection, session)


async def _discard(connection: AsyncConnection) -> None:
    """It is closed, and the pool will open another."""
    await connection.invalidate()
    await connection.close()
