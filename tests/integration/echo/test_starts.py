"""A service's process starts on what it needs, waits for it, or says what is wrong."""

import asyncio
import random
import re
import signal
import socket
from uuid import uuid4

import httpx
import pytest

from sagaline.local import throwaway
from sagaline.local.provisioning import provision
from sagaline.testing.runtime import TestServer
from tests.integration.echo import stage
from tests.integration.echo.asking import problem


async def test_without_its_tables_a_process_says_how_to_make_them(
    postgres_server: TestServer,
) -> None:
    name = f"echo_{uuid4().hex[:8]}"
    postgres_server.create_database(name)
    try:
        async with stage.started("run", stage.variables(postgres_server.url(name))) as process:
            assert await process.exit_code() == 1
    finally:
        postgres_server.drop_database(name)
    line = await process.line("failed")
    assert "python -m tests.integration.echo migrate" in str(line["reason"])
    assert "exception" not in line  # operation's error: a sentence, no trace


@pytest.mark.parametrize("setting", ["SAGALINE_ECHO_HTTP_PORT", "SAGALINE_ECHO_OPERATOR_PORT"])
async def test_a_taken_port_is_told_with_the_setting_that_moves_it(
    database_url: str, setting: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        given = stage.variables(database_url, **{setting: port})
        async with stage.started("run", given) as process:
            assert await process.exit_code() == 1
    reason = str((await process.line("failed"))["reason"])
    assert port in reason
    assert setting in reason


async def test_a_wrong_password_ends_the_start(database_url: str) -> None:
    url = re.sub(r":[^:@/]+@", ":wrong@", database_url)
    async with stage.started("run", stage.variables(url)) as process:
        assert await process.exit_code() == 1
    reason = str((await process.line("failed"))["reason"])
    assert "password authentication failed" in reason
    assert ":wrong@" not in str(process.lines)


async def test_a_stop_while_the_database_is_awaited_is_a_clean_end() -> None:
    url = f"postgresql://echo:hunter2@{stage.NOBODY}/echo"
    async with stage.started("run", stage.variables(url)) as process:
        await process.line("waiting")
        process.send(signal.SIGTERM)
        assert await process.exit_code() == 0
    assert "hunter2" not in str(process.lines)


async def test_a_database_that_comes_goes_and_comes_again() -> None:
    with throwaway.postgres(random.SystemRandom()) as postgres:
        provision(postgres, ["echo"])
        await stage.migrated(postgres.url("echo", "echo_owner"))
        await asyncio.to_thread(postgres.stop)
        async with (
            stage.started("run", stage.variables(postgres.url("echo", "echo_app"))) as process,
            stage.client_of(await process.url()) as client,
        ):
            await process.line("waiting")
            assert (await client.get("/livez")).status_code == 200
            await without_a_database(client)
            assert problem(await client.get("/held"), status=503).type.endswith("not-started")

            await asyncio.to_thread(postgres.start)
            await process.line("started")
            note = f"/notes/{uuid4()}"
            assert (await client.put(note, json={"text": "hello"})).status_code == 201

            await asyncio.to_thread(postgres.kill)
            assert (await client.get("/livez")).status_code == 200
            await without_a_database(client)

            await asyncio.to_thread(postgres.start)
            found = await stage.becomes(
                lambda: client.get(note), lambda answer: answer.status_code == 200
            )
            assert found.json()["text"] == "hello"
            process.send(signal.SIGTERM)
            assert await process.exit_code() == 0


async def without_a_database(client: httpx.AsyncClient) -> None:
    """Requests get 503 and when to come again, and readiness says what is missing."""
    answer = await client.put(f"/notes/{uuid4()}", json={"text": "hello"})
    assert problem(answer, status=503).type.endswith("/unavailable")
    assert answer.headers["retry-after"] == "1"
    document = problem(await client.get("/readyz"), status=503)
    named = {fault.field: fault.message for fault in document.errors or []}
    assert "PostgreSQL is postgresql://echo_app:***@" in named["database"]
