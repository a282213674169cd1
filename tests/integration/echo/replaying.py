"""The echo whose operators have records written once more, and what stands on its topic then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx

from sagaline.chassis import log_reader
from sagaline.chassis.log_records import LogRecord
from tests.integration.echo import stage
from tests.integration.echo.service import TOPIC, service
from tests.integration.echo.stage import becomes

# Who comes and goes is learnt by a heartbeat; a static member that is gone is missed when its
# session is over, and only the one of slot 0 comes back in the next test.
FIRST = {"kafka_heartbeat_interval_ms": 200}
OTHER = {"kafka_heartbeat_interval_ms": 200, "kafka_session_timeout_ms": 2_000}


class Echo:
    """The echo service, and its operators' side."""

    def __init__(self, http: httpx.AsyncClient, operators: httpx.AsyncClient) -> None:
        self.http = http
        self.operators = operators

    async def notes(self, count: int) -> list[UUID]:
        """So many notes are written, published and heard."""
        written = [uuid4() for _ in range(count)]
        for note in written:
            answer = await self.http.put(f"/notes/{note}", json={"text": "hello"})
            assert answer.status_code == 201, answer.text
        for note in written:
            await self.heard(note, times=1)
        return written

    async def heard(self, note: UUID, *, times: int) -> None:
        await becomes(lambda: self.http.get(f"/notes/{note}"), lambda a: a.json()["heard"] == times)

    async def begin(self, ranges: list[dict[str, int]], **other: object) -> UUID:
        replay_id = uuid4()
        body = {"topic": TOPIC, "ranges": ranges, "reason": "a test", **other}
        answer = await self.operators.put(f"/replays/{replay_id}", json=body)
        assert answer.status_code == 202, answer.text
        return replay_id

    async def replay(self, replay_id: UUID) -> dict[str, Any]:
        answer = await self.operators.get(f"/replays/{replay_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ended(self, replay_id: UUID, state: str = "done") -> dict[str, Any]:
        return await becomes(lambda: self.replay(replay_id), lambda each: each["state"] == state)


@asynccontextmanager
async def echo(database_url: str, bootstrap: str, *, slot: int = 0) -> AsyncIterator[Echo]:
    """The service, in this process; each of several has a slot of its own."""
    settings = stage.settings(
        database_url, bootstrap, process_slot=slot, **(FIRST if slot == 0 else OTHER)
    )
    async with service(settings).running() as running:
        sides = [httpx.ASGITransport(app=app) for app in (running.app, running.operator_app)]
        http, operators = (
            httpx.AsyncClient(transport=side, base_url="http://echo") for side in sides
        )
        await becomes(lambda: http.get("/readyz"), lambda answer: answer.status_code == 200)
        yield Echo(http, operators)


@asynccontextmanager
async def process_of(
    database_url: str, bootstrap: str
) -> AsyncIterator[tuple[Echo, stage.Process]]:
    """The service, in a process that a test may kill."""
    variables = stage.variables(
        database_url,
        bootstrap,
        # A killed member is missed soon.
        SAGALINE_KAFKA_SESSION_TIMEOUT_MS="1000",
        SAGALINE_KAFKA_HEARTBEAT_INTERVAL_MS="200",
    )
    async with stage.started("run", variables) as process:
        where = await process.line("listening")
        async with (
            stage.client_of(str(where["url"])) as http,
            stage.client_of(str(where["operator_url"])) as operators,
        ):
            await becomes(lambda: http.get("/readyz"), lambda answer: answer.status_code == 200)
            yield Echo(http, operators), process


async def ranges(bootstrap: str, notes: list[UUID]) -> list[dict[str, int]]:
    """Where these notes' records stand: all of them are between, of each partition."""
    stood = await records(bootstrap, notes)
    found: dict[int, list[int]] = {}
    for record in stood:
        found.setdefault(record.partition, []).append(record.offset)
    return [
        {"partition": number, "first": min(offsets), "until": max(offsets) + 1}
        for number, offsets in found.items()
    ]


async def records(bootstrap: str, notes: list[UUID]) -> list[LogRecord]:
    keys = {str(note).encode() for note in notes}
    async with log_reader.opened(TOPIC, bootstrap=bootstrap, client_id="test") as reader:
        every = reader.read(await reader.extent())
        return [record async for record in every if record.key in keys]


def split(stood: list[LogRecord]) -> tuple[list[LogRecord], list[LogRecord]]:
    """The records as they were written first, and the copies."""
    copies = [each for each in stood if "ce_replayid" in dict(each.headers)]
    return [each for each in stood if each not in copies], copies
