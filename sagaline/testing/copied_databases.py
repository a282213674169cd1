"""Copies of databases on a test server: made before they are asked for, removed after their use.

PostgreSQL takes some 0.1 s for either, mostly of its disk: that is done while tests run. Never more
than one copy of a template lies ready, and of those that are over none outlives the next job.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import asyncpg

T = TypeVar("T")


class CopiedDatabases:
    """One superuser's session at `url`, in a thread of its own, for the block."""

    def __init__(self, url: str, *, owner: str) -> None:
        self._url = url
        self._owner = owner
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="copied-databases")
        self._ready: dict[str, Future[str]] = {}  # by template, the copy that lies ready
        self._over: list[str] = []
        self._made = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._session: asyncpg.Connection = self._do(asyncpg.connect(self._url)).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._do(self._session.close(timeout=10)).result()
        self._thread.shutdown()
        self._loop.close()

    def take(self, name: str, *, template: str) -> None:
        """Have a copy of `template`, to which nobody may be connected, by that name."""
        if name in self._over:
            self._do(self._clear()).result()
        ready = self._ready.pop(template, None) or self._do(self._prepare(template))
        self._do(self._run(f'ALTER DATABASE "{ready.result()}" RENAME TO "{name}"')).result()
        self._ready[template] = self._do(self._prepare(template))

    def drop(self, name: str) -> None:
        """Remove the database, whoever is connected to it: not now, but before the next copy."""
        self._over.append(name)

    async def _clear(self) -> None:
        while self._over:
            await self._run(f'DROP DATABASE IF EXISTS "{self._over.pop()}" WITH (FORCE)')

    async def _prepare(self, template: str) -> str:
        await self._clear()
        self._made += 1
        name = f"ready_{self._made}"
        # A copy has not its template's rights on who connects, but PostgreSQL's own: everybody.
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{self._owner}"')
        return name

    async def _run(self, statement: str) -> None:
        await self._session.execute(statement)

    def _do(self, work: Coroutine[object, object, T]) -> "Future[T]":
        return self._thread.submit(self._loop.run_until_complete, work)
