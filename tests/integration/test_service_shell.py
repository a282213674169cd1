"""The shell that every service has, around a service of a few lines, on real servers."""

import asyncio
import random
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeAlias
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client.parser import text_string_to_metric_families

from sagaline.chassis import topics
from sagaline.chassis.background import TaskFailed
from sagaline.chassis.problems import Problem
from sagaline.chassis.server import serving
from sagaline.chassis.service import Running
from sagaline.local import throwaway
from sagaline.local.provisioning import provision
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.echo import stage
from tests.integration.echo.service import CATALOG, TOPIC, Doors, EchoSettings, service

Variables: TypeAlias = Mapping[str, str]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="session")
def template(postgres_server: TestServer) -> str:
    """The echo's database as `migrate` leaves it."""
    postgres_server.create_database("echo_template")
    asyncio.run(stage.migrated(postgres_server.url("echo_template", OWNER)))
    return "echo_template"


@pytest.fixture
def database_url(postgres_server: TestServer, template: str) -> Iterator[Callable[[], str]]:
    """Makes a migrated database for each call."""
    made: list[str] = []

    def make() -> str:
        made.append(f"echo_{uuid4().hex[:8]}")
        postgres_server.create_database(made[-1], template=template)
        return postgres_server.url(made[-1])

    yield make
    for name in made:
        postgres_server.drop_database(name)


@pytest.fixture
async def bootstrap(kafka_bootstrap: str) -> str:
    """Kafka, with the echo's topic on it."""
    await topics.create(
        CATALOG,
        service=EchoSettings.service,
        bootstrap=kafka_bootstrap,
        partitions=None,
        replicas=1,
        timeout_ms=10_000,
    )
    return kafka_bootstrap


def settings(database_url: str, bootstrap: str = stage.NOBODY, **others: Any) -> EchoSettings:
    values = {"database_url": database_url, "kafka_bootstrap": bootstrap, **others}
    return EchoSettings.model_validate(values)


def variables(database_url: str, bootstrap: str = stage.NOBODY, **others: str) -> Variables:
    return {
        "SAGALINE_ECHO_DATABASE_URL": database_url,
        "SAGALINE_KAFKA_BOOTSTRAP": bootstrap,
        **others,
    }


def client_of(running: Running) -> httpx.AsyncClient:
    """A client of the application, without a server between."""
    transport = httpx.ASGITransport(app=running.app)
    return httpx.AsyncClient(transport=transport, base_url="http://echo")


async def ready(client: httpx.AsyncClient) -> None:
    await stage.becomes(lambda: client.get("/readyz"), lambda answer: answer.status_code == 200)


async def heard(client: httpx.AsyncClient, note: str) -> None:
    await stage.becomes(lambda: client.get(note), lambda answer: answer.json()["heard"] == 1)


def problem(answer: httpx.Response, *, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate_json(answer.content)


async def test_what_a_request_publishes_goes_through_kafka_and_is_handled(
    database_url: Callable[[], str], bootstrap: str
) -> None:
    async with (
        service(settings(database_url(), bootstrap)).running() as running,
        client_of(running) as client,
    ):
        note = f"/notes/{uuid4()}"
        answer = await client.put(note, json={"text": "hello"}, headers={"traceparent": TRACE})
        assert answer.status_code == 201
        await heard(client, note)
        await ready(client)
        figures = {
            sample.name: sample.value
            for family in text_string_to_metric_families((await client.get("/metrics")).text)
            for sample in family.samples
        }
    assert figures["sagaline_relay_rows_total"] == 1
    assert figures["sagaline_inbox_records_total"] >= 1


async def test_a_message_carries_on_the_trace_of_its_request(
    database_url: Callable[[], str], bootstrap: str
) -> None:
    order_id = str(uuid4())
    async with (
        service(settings(database_url(), bootstrap)).running() as running,
        client_of(running) as client,
    ):
        await client.put(
            f"/notes/{order_id}", json={"text": "hello"}, headers={"traceparent": TRACE}
        )
        await heard(client, f"/notes/{order_id}")
    kafka = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await kafka.start()
    try:
        async with asyncio.timeout(stage.WITHIN_S):
            while (record := await kafka.getone()).key != order_id.encode():
                pass
    finally:
        await kafka.stop()
    found = dict(record.headers)["traceparent"].decode()
    assert found.split("-")[1] == TRACE.split("-")[1]
    assert found != TRACE  # a span of our own


async def test_while_kafka_is_down_requests_are_served_and_readiness_names_it(
    database_url: Callable[[], str],
) -> None:
    async with (
        service(settings(database_url())).running() as running,
        client_of(running) as client,
    ):
        note = f"/notes/{uuid4()}"
        assert (await client.put(note, json={"text": "hello"})).status_code == 201
        assert (await client.get("/livez")).status_code == 200
        document = problem(await client.get("/readyz"), status=503)
    named = {fault.field: fault.message for fault in document.errors or []}
    assert set(named) == {"relay", "consumer"}
    assert all(stage.NOBODY in message for message in named.values())


async def test_two_services_in_one_process_share_nothing(
    database_url: Callable[[], str], bootstrap: str
) -> None:
    note = f"/notes/{uuid4()}"
    async with (
        service(settings(database_url())).running() as one,
        service(settings(database_url())).running() as other,
        client_of(one) as ones,
        client_of(other) as others,
    ):
        assert one.metrics is not other.metrics
        assert one.part(Doors) is not other.part(Doors)
        assert (await ones.put(note, json={"text": "hello"})).status_code == 201
        assert (await others.get(note)).status_code == 404


async def refused(url: str) -> bool:
    """Nobody listens there any more."""
    where = httpx.URL(url)
    try:
        _, writer = await asyncio.open_connection(where.host, where.port)
    except ConnectionError:  # reset: it was closed while we were connecting
        return True
    writer.close()
    return False


async def test_requests_in_flight_are_answered_before_what_they_need_is_closed(
    database_url: Callable[[], str],
) -> None:
    async with service(settings(database_url())).running() as running:
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
    database_url: Callable[[], str],
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 10_000

    async with (
        service(settings(database_url())).running() as running,
        serving(running) as server,
        stage.client_of(server.url) as client,
    ):
        answer = await client.put(
            f"/notes/{uuid4()}", content=chunks(), headers={"content-type": "application/json"}
        )
        problem(answer, status=413)


async def test_a_bug_in_a_task_ends_the_service(database_url: Callable[[], str]) -> None:
    with pytest.raises(TaskFailed, match="ZeroDivisionError"):
        async with service(settings(database_url(), buggy=True)).running() as running:
            await running.stopping.wait()


async def test_a_process_serves_until_a_signal_and_exits_with_0(
    database_url: Callable[[], str], bootstrap: str
) -> None:
    async with (
        stage.started("run", variables(database_url(), bootstrap)) as process,
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
    database_url: Callable[[], str],
) -> None:
    given = variables(database_url(), SAGALINE_SHUTDOWN_GRACE_MS="100")
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


async def test_a_second_signal_ends_a_process_at_once(database_url: Callable[[], str]) -> None:
    given = variables(database_url(), SAGALINE_SHUTDOWN_GRACE_MS="60000")
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


async def test_a_bug_in_a_task_ends_the_process_with_1(database_url: Callable[[], str]) -> None:
    given = variables(database_url(), SAGALINE_ECHO_BUGGY="true")
    async with stage.started("run", given) as process:
        assert await process.exit_code() == 1
    assert "ZeroDivisionError" in str((await process.line("task failed"))["exception"])


async def test_without_its_tables_a_process_says_how_to_make_them(
    postgres_server: TestServer, database_url: Callable[[], str]
) -> None:
    name = f"echo_{uuid4().hex[:8]}"
    postgres_server.create_database(name)
    try:
        async with stage.started("run", variables(postgres_server.url(name))) as process:
            assert await process.exit_code() == 1
    finally:
        postgres_server.drop_database(name)
    line = await process.line("failed")
    assert "python -m tests.integration.echo migrate" in str(line["reason"])
    assert "exception" not in line  # operation's error: a sentence, no trace


@pytest.mark.parametrize("setting", ["SAGALINE_ECHO_HTTP_PORT", "SAGALINE_ECHO_OPERATOR_PORT"])
async def test_a_taken_port_is_told_with_the_setting_that_moves_it(
    database_url: Callable[[], str], setting: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        given = variables(database_url(), **{setting: port})
        async with stage.started("run", given) as process:
            assert await process.exit_code() == 1
    reason = str((await process.line("failed"))["reason"])
    assert port in reason
    assert setting in reason


async def test_operators_are_answered_on_a_port_of_their_own(
    database_url: Callable[[], str],
) -> None:
    async with (
        service(settings(database_url())).running() as running,
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


async def test_a_wrong_password_ends_the_start(database_url: Callable[[], str]) -> None:
    url = re.sub(r":[^:@/]+@", ":wrong@", database_url())
    async with stage.started("run", variables(url)) as process:
        assert await process.exit_code() == 1
    reason = str((await process.line("failed"))["reason"])
    assert "password authentication failed" in reason
    assert ":wrong@" not in str(process.lines)


async def test_a_stop_while_the_database_is_awaited_is_a_clean_end() -> None:
    url = f"postgresql://echo:hunter2@{stage.NOBODY}/echo"
    async with stage.started("run", variables(url)) as process:
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
            stage.started("run", variables(postgres.url("echo", "echo_app"))) as process,
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


async def in_flight(client: httpx.AsyncClient) -> bool:
    """A request to /held has come in; its line comes only when it is over."""
    figures = (await client.get("/metrics")).text
    return "sagaline_http_requests_in_flight 2.0" in figures
