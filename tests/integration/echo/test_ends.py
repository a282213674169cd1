"""A service's process ends by signals, and by what went wrong in it."""

import asyncio
import signal
from uuid import uuid4

from tests.integration.echo import stage
from tests.integration.echo.asking import heard, in_flight, problem, ready


async def test_a_process_serves_until_a_signal_and_exits_with_0(
    database_url: str, bootstrap: str
) -> None:
    async with (
        stage.started("run", stage.variables(database_url, bootstrap)) as process,
        stage.client_of(await process.url()) as client,
    ):
        note = f"/notes/{uuid4()}"
        await ready(client)
        assert (await client.put(note, json={"text": "hello"})).status_code == 201
        await heard(client, note)
        process.send(signal.SIGTERM)
        assert await process.exit_code() == 0
    assert process.lines[-1]["event"] == "stopped"
    assert not [line for line in process.lines if line.get("level") in ("warning", "error")]


async def test_a_request_that_takes_too_long_does_not_hold_up_the_end(
    database_url: str,
) -> None:
    given = stage.variables(database_url, SAGALINE_SHUTDOWN_GRACE_MS="100")
    async with (
        stage.started("run", given) as process,
        stage.client_of(await process.url()) as client,
    ):
        await process.line("started")
        request = asyncio.create_task(client.get("/held"))
        await stage.becomes(lambda: in_flight(client), bool)
        process.send(signal.SIGINT)
        assert problem(await request, status=503).type.endswith("/stopped")
        assert await process.exit_code() == 0


async def test_a_second_signal_ends_a_process_at_once(database_url: str) -> None:
    given = stage.variables(database_url, SAGALINE_SHUTDOWN_GRACE_MS="60000")
    async with (
        stage.started("run", given) as process,
        stage.client_of(await process.url()) as client,
    ):
        await process.line("started")
        request = asyncio.create_task(client.get("/held"))
        await stage.becomes(lambda: in_flight(client), bool)
        process.send(signal.SIGTERM)
        await process.line("stopping")
        process.send(signal.SIGTERM)
        assert await process.exit_code() == 128 + signal.SIGTERM
        await asyncio.gather(request, return_exceptions=True)


async def test_a_bug_in_a_task_ends_the_process_with_1(database_url: str) -> None:
    given = stage.variables(database_url, SAGALINE_ECHO_BUGGY="true")
    async with stage.started("run", given) as process:
        assert await process.exit_code() == 1
    assert "ZeroDivisionError" in str((await process.line("task failed"))["exception"])
