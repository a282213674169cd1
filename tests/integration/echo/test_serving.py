"""The shell that every service has: its ports, its limits, and the order of its end."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from sagaline.chassis.background import TaskFailed
from sagaline.chassis.server import serving
from tests.integration.echo import stage
from tests.integration.echo.asking import problem, refused
from tests.integration.echo.service import Doors, service


async def test_requests_in_flight_are_answered_before_what_they_need_is_closed(
    database_url: str,
) -> None:
    async with service(stage.settings(database_url)).running() as running:
        doors = running.part(Doors)
        async with serving(running) as server:
            client = httpx.AsyncClient(base_url=server.url, timeout=stage.WITHIN_S)
            request = asyncio.create_task(client.get("/held"))
            await doors.entered.wait()

            async def open_when_nobody_listens() -> None:
                await stage.becomes(lambda: refused(server.url), bool)
                doors.go_on.set()

            opener = asyncio.create_task(open_when_nobody_listens())
        await opener
        assert (await request).json() == {"held": True}
        await client.aclose()
    assert doors.story == ["open", "answered", "closed"]


async def test_a_body_in_chunks_above_the_limit_is_refused_by_the_server(
    database_url: str,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 10_000

    async with (
        service(stage.settings(database_url)).running() as running,
        serving(running) as server,
        stage.client_of(server.url) as client,
    ):
        answer = await client.put(
            f"/notes/{uuid4()}", content=chunks(), headers={"content-type": "application/json"}
        )
        problem(answer, status=413)


async def test_operators_are_answered_on_a_port_of_their_own(
    database_url: str,
) -> None:
    async with (
        service(stage.settings(database_url)).running() as running,
        serving(running) as serves,
        stage.client_of(serves.url) as everybody,
        stage.client_of(serves.operator_url) as operators,
    ):
        note = f"/notes/{uuid4()}"
        assert (await everybody.put(note, json={"text": "hello"})).status_code == 201
        assert (await everybody.get(note)).status_code == 200
        problem(await operators.get(note), status=404)
        assert (await operators.get("/livez")).status_code == 200
    assert await refused(serves.operator_url)


async def test_a_bug_in_a_task_ends_the_service(database_url: str) -> None:
    with pytest.raises(TaskFailed, match="ZeroDivisionError"):
        async with service(stage.settings(database_url, buggy=True)).running() as running:
            await running.stopping.wait()
