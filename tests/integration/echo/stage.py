"""The echo service on real servers: settings for it, and processes of it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx

from sagaline.chassis import logs, migrate
from tests.integration.echo.service import EchoSettings

WITHIN_S = 30
NOBODY = "127.0.0.1:1"  # a port on which nobody listens

T = TypeVar("T")


def settings(database_url: str, bootstrap: str = NOBODY, **others: Any) -> EchoSettings:
    values = {"database_url": database_url, "kafka_bootstrap": bootstrap, **others}
    return EchoSettings.model_validate(values)


def variables(database_url: str, bootstrap: str = NOBODY, **others: str) -> Mapping[str, str]:
    """The same for a process."""
    return {
        "SAGALINE_ECHO_DATABASE_URL": database_url,
        "SAGALINE_KAFKA_BOOTSTRAP": bootstrap,
        "SAGALINE_PROCESS_SLOT": "0",
        **others,
    }


async def migrated(owner_url: str) -> None:
    """The database has the chassis' tables and the echo's."""
    engine = migrate.open_engine(owner_url, connect_timeout_s=5, statement_timeout_s=30)
    log = logs.logger("migrate")
    try:
        await migrate.upgrade(
            engine,
            migrate.chains(EchoSettings.service),
            lock_timeout_ms=2_000,
            upgraded=lambda schema, to: log.info("migrated", schema=schema, revision=to),
        )
    finally:
        await engine.dispose()


async def becomes(seen: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """What is seen once it is as wanted; looks again and again, up to a limit."""
    last: object = None
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                last = found = await seen()
                if wanted(found):
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {WITHIN_S} s; last seen: {last!r}") from None


class Process:
    """A process of the service, started as people start it; `lines` is its log so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[dict[str, object]] = []
        self._reading = asyncio.create_task(self._read())
        self._news = asyncio.Condition()

    async def line(self, event: str) -> dict[str, object]:
        """The first line about this event, as soon as it is there."""

        def found() -> dict[str, object] | None:
            return next((line for line in self.lines if line.get("event") == event), None)

        async with asyncio.timeout(WITHIN_S), self._news:
            await self._news.wait_for(lambda: found() or self._reading.done())
        line = found()
        assert line is not None, f"it ended without {event!r}: {self.lines}"
        return line

    async def url(self) -> str:
        return str((await self.line("listening"))["url"])

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def exit_code(self) -> int:
        async with asyncio.timeout(WITHIN_S):
            await self._reading
            return await self._process.wait()

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self.exit_code()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            text = raw.decode()
            line = json.loads(text) if text.startswith("{") else {"event": text.rstrip()}
            async with self._news:
                self.lines.append(line)
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def started(verb: str, variables: Mapping[str, str]) -> AsyncIterator[Process]:
    """`python -m tests.integration.echo <verb>`, with only these variables of ours."""
    others = {name: value for name, value in os.environ.items() if "SAGALINE" not in name}
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.echo",
            verb,
            env={**others, **variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    )
    try:
        yield process
    finally:
        await process.close()


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=WITHIN_S) as client:
        yield client
