"""A topic's owner writes its records once more: through its outbox, and through every crash."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from sagaline.chassis import log_reader, replay_rows, topics
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.log_records import LogRecord
from sagaline.chassis.replay_rows import Replay
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.echo import stage
from tests.integration.echo.service import CATALOG, TOPIC, EchoSettings, service
from tests.integration.echo.stage import becomes

pytestmark = pytest.mark.timeout(180)

NOTES = 40
ADDED = {
    "ce_replayid",
    "ce_origintopic",
    "ce_originpartition",
    "ce_originoffset",
    "ce_origintime",
}


@pytest.fixture(scope="module")
def replay_template(postgres_server: TestServer) -> str:
    """The echo's database as `migrate` leaves it."""
    postgres_server.create_database("replay_template")
    asyncio.run(stage.migrated(postgres_server.url("replay_template", OWNER)))
    return "replay_template"


@pytest.fixture
def database_url(postgres_server: TestServer, replay_template: str) -> Iterator[str]:
    name = f"replay_{uuid4().hex[:8]}"
    postgres_server.create_database(name, template=replay_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
async def bootstrap(kafka_bootstrap: str) -> str:
    await topics.create(
        CATALOG,
        service=EchoSettings.service,
        bootstrap=kafka_bootstrap,
        partitions=None,
        replicas=1,
        timeout_ms=10_000,
    )
    return kafka_bootstrap


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
    values = {"database_url": database_url, "kafka_bootstrap": bootstrap, "process_slot": slot}
    async with service(EchoSettings.model_validate(values)).running() as running:
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
    variables = {
        "SAGALINE_ECHO_DATABASE_URL": database_url,
        "SAGALINE_KAFKA_BOOTSTRAP": bootstrap,
        # A killed member is missed soon.
        "SAGALINE_KAFKA_SESSION_TIMEOUT_MS": "1000",
        "SAGALINE_KAFKA_HEARTBEAT_INTERVAL_MS": "200",
    }
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


async def test_a_replay_writes_each_record_again_as_it_was_and_says_where_it_stood(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(5)
        replay_id = await service.begin(await ranges(bootstrap, notes))
        done = await service.ended(replay_id)
        assert (done["sent"], done["passed"], done["skipped"], done["problem"]) == (5, 0, 0, None)
        for note in notes:
            await service.heard(note, times=2)  # a record handler without a barrier hears again
        originals, copies = split(await records(bootstrap, notes))
        by_place = {(each.partition, each.offset): each for each in originals}
        assert len(copies) == len(originals) == 5
        for copy in copies:
            headers = dict(copy.headers)
            offset = headers["ce_originoffset"]
            assert offset is not None
            original = by_place[copy.partition, int(offset)]
            assert (copy.key, copy.value) == (original.key, original.value)
            assert {n: v for n, v in headers.items() if n not in ADDED} == dict(original.headers)
            assert headers["ce_origintopic"] == TOPIC.encode()
            assert headers["ce_originpartition"] == str(original.partition).encode()
            assert headers["ce_replayid"] == str(replay_id).encode()


async def test_only_records_of_the_keys_and_types_asked_for_are_written_again(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(4)
        where = await ranges(bootstrap, notes)
        one = await service.begin(where, keys=[str(notes[2])])
        assert (await service.ended(one))["sent"] == 1
        none = await service.begin(where, types=["orders.events.OrderConfirmed"])
        assert (await service.ended(none))["sent"] == 0
        _, copies = split(await records(bootstrap, notes))
        assert [copy.key for copy in copies] == [str(notes[2]).encode()]


async def test_a_replay_survives_the_kill_of_its_process_and_puts_nothing_in_twice(
    database_url: str, bootstrap: str
) -> None:
    async with process_of(database_url, bootstrap) as (service, process):
        notes = await service.notes(NOTES)
        replay_id = await service.begin(await ranges(bootstrap, notes), per_s=10)
        await becomes(lambda: service.replay(replay_id), lambda each: each["sent"] >= 10)
        process.send(signal.SIGKILL)
        await process.exit_code()
    async with process_of(database_url, bootstrap) as (service, _):
        done = await service.ended(replay_id)
        assert (done["state"], done["sent"]) == ("done", NOTES)
        for note in notes:  # twice at least: the relay may send what it sent before the kill
            await becomes(
                lambda note=note: service.http.get(f"/notes/{note}"),  # type: ignore[misc]  # bound now
                lambda answer: answer.json()["heard"] >= 2,
            )
    _, copies = split(await records(bootstrap, notes))
    assert {copy.key for copy in copies} == {str(note).encode() for note in notes}
    assert len(copies) <= NOTES + 10  # of the chunk that was under way


async def test_a_replay_goes_on_where_its_process_was_stopped_in_order(
    database_url: str, bootstrap: str
) -> None:
    async with process_of(database_url, bootstrap) as (service, process):
        notes = await service.notes(NOTES)
        replay_id = await service.begin(await ranges(bootstrap, notes), per_s=10)
        await becomes(lambda: service.replay(replay_id), lambda each: each["sent"] >= 10)
        process.send(signal.SIGTERM)
        assert await process.exit_code() == 0
    async with process_of(database_url, bootstrap) as (service, _):
        assert (await service.ended(replay_id))["sent"] == NOTES
    _, copies = split(await records(bootstrap, notes))
    assert len(copies) == NOTES
    for number in {copy.partition for copy in copies}:
        origins = [
            int(dict(copy.headers)["ce_originoffset"] or b"")
            for copy in copies
            if copy.partition == number
        ]
        assert origins == sorted(origins)


async def test_a_stopped_replay_sends_no_more_until_it_is_resumed(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(NOTES)
        replay_id = await service.begin(await ranges(bootstrap, notes), per_s=10)
        await becomes(lambda: service.replay(replay_id), lambda each: each["sent"] >= 10)
        answer = await service.operators.post(f"/replays/{replay_id}/stop")
        assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
        again = await service.operators.post(f"/replays/{replay_id}/stop")
        assert (again.status_code, again.json()["detail"]) == (
            409,
            f"Replay {replay_id} is stopped.",
        )
        sent = (await service.replay(replay_id))["sent"]
        # A replay that comes after it is carried on to its end: nobody works on the first.
        other = await service.begin(await ranges(bootstrap, notes), keys=[str(notes[0])])
        await service.ended(other)
        assert (await service.replay(replay_id))["sent"] == sent < NOTES
        await service.operators.post(f"/replays/{replay_id}/resume")
        assert (await service.ended(replay_id))["sent"] == NOTES


async def test_the_same_replay_asked_for_twice_is_one(database_url: str, bootstrap: str) -> None:
    async with echo(database_url, bootstrap) as service:
        notes = await service.notes(1)
        body = {"topic": TOPIC, "ranges": await ranges(bootstrap, notes), "reason": "a test"}
        replay_id = uuid4()
        for _ in range(2):
            answer = await service.operators.put(f"/replays/{replay_id}", json=body)
            assert answer.status_code == 202
            await service.ended(replay_id)
        listed = (await service.operators.get("/replays")).json()
        assert [each["id"] for each in listed] == [str(replay_id)]
        assert listed[0]["sent"] == 1


async def test_a_replay_that_only_others_may_write_or_nobody_is_refused(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as service:
        body = {"topic": TOPIC, "ranges": [{"partition": 0, "first": 0, "until": 1}], "reason": "x"}
        for change, status in (
            ({"topic": "orders.commands.v1"}, 409),
            ({"topic": "nowhere.v1"}, 409),
            ({"reason": "  "}, 422),
            ({"ranges": []}, 422),
            ({"ranges": [{"partition": -1, "first": 0, "until": 1}]}, 422),
            ({"per_s": 0}, 422),
        ):
            answer = await service.operators.put(f"/replays/{uuid4()}", json={**body, **change})
            assert answer.status_code == status, answer.text
        missing = await service.operators.get(f"/replays/{uuid4()}")
        assert missing.status_code == 404
        assert (await service.operators.get("/replays")).json() == []


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(open_engine(database_url, pool_size=2, command_timeout_s=5))
    yield database
    await database.close()


def asked() -> Replay:
    """A replay of two partitions."""
    return Replay(
        id=uuid4(),
        topic=TOPIC,
        first_offsets=[0, 10],
        next_offsets=[0, 10],
        until_offsets=[5, 20],
        keys=[],
        types=[],
        per_s=1,
        reason="a test",
    )


async def inserted(database: Database, count: int) -> list[UUID]:
    """So many replays run, the oldest first; nobody carries them on."""
    replays = [asked() for _ in range(count)]
    for replay in replays:
        async with database.transaction() as tx:
            await replay_rows.insert(tx, replay)
    return [replay.id for replay in replays]


async def silence(database: Database) -> None:
    """Whoever carries a replay on has not been heard of for long."""
    async with database.transaction() as tx:
        await tx.run("UPDATE sagaline.replays SET touched_at = now() - interval '1 hour'")


async def test_one_process_at_a_time_carries_a_replay_on_and_another_takes_over(
    database: Database,
) -> None:
    (replay_id,) = await inserted(database, 1)
    first = await _claimed(database, "echo-0")
    assert first is not None
    assert await _claimed(database, "echo-1") is None
    await silence(database)
    second = await _claimed(database, "echo-1")
    assert second is not None
    async with database.transaction() as tx:  # the first one wakes up, and is fenced
        assert not await replay_rows.advance(tx, first.moved([5, 20]), sent=1, passed=0, skipped=0)
        assert not await replay_rows.touch(tx, first, problem=None)
        await replay_rows.finish(tx, first)
        assert await replay_rows.advance(tx, second.moved([1, 10]), sent=1, passed=0, skipped=0)
        found = await replay_rows.find(tx, replay_id)
    assert found is not None
    assert (found.state, list(found.next_offsets), found.sent) == ("running", [1, 10], 1)
    assert Counter(len(span) for span in found.left.values()) == Counter([4, 10])


async def test_while_one_replay_is_carried_on_no_other_one_is(database: Database) -> None:
    oldest, _ = await inserted(database, 2)
    runners = [f"echo-{number}" for number in range(2)]
    claims = await asyncio.gather(*(_claimed(database, runner) for runner in runners))
    (taken,) = [claim for claim in claims if claim is not None]
    assert taken.id == oldest
    for runner in runners:
        again = await _claimed(database, runner)
        assert (again is None) == (runner != taken.runner)


async def test_a_replay_that_is_resumed_waits_for_the_one_under_way(database: Database) -> None:
    oldest, newer = await inserted(database, 2)
    first = await _claimed(database, "echo-0")
    assert first is not None
    async with database.transaction() as tx:
        assert await replay_rows.stop(tx, oldest)
    second = await _claimed(database, "echo-1")
    assert second is not None
    assert second.id == newer
    async with database.transaction() as tx:
        assert await replay_rows.resume(tx, oldest)
        # Who had it did not look in between, and must not go on now.
        assert not await replay_rows.touch(tx, first, problem=None)
    assert await _claimed(database, "echo-0") is None
    await silence(database)
    third = await _claimed(database, "echo-0")
    assert third is not None
    assert third.id == oldest
    async with database.transaction() as tx:
        assert not await replay_rows.touch(tx, second, problem=None)


async def test_two_processes_of_a_service_carry_on_one_replay_at_a_time(
    database_url: str, bootstrap: str
) -> None:
    async with echo(database_url, bootstrap) as one, echo(database_url, bootstrap, slot=1) as two:
        notes = await one.notes(10)
        where = await ranges(bootstrap, notes)
        begun = [await each.begin(where, per_s=10) for each in (one, two, two)]
        seen: list[list[str]] = []

        async def states() -> list[str]:
            listed = (await one.operators.get("/replays")).json()
            by_id = {each["id"]: each for each in listed}
            replays = [by_id[str(replay_id)] for replay_id in begun]
            seen.append(["begun" if r["sent"] and r["state"] != "done" else "" for r in replays])
            return [replay["state"] for replay in replays]

        await becomes(states, lambda found: found == ["done"] * 3)
        assert max(moment.count("begun") for moment in seen) == 1


async def _claimed(database: Database, runner: str) -> Replay | None:
    async with database.transaction() as tx:
        return await replay_rows.claim(tx, runner)


async def test_offsets_that_no_log_holds_hold_up_nobody(database_url: str, bootstrap: str) -> None:
    async with echo(database_url, bootstrap) as service:
        (note,) = await service.notes(1)
        far = [{"partition": 0, "first": 400_000, "until": 400_712}]
        nowhere = [{"partition": 900, "first": 0, "until": 10}]
        first, second = await service.begin(far), await service.begin(nowhere)
        third = await service.begin(await ranges(bootstrap, [note]))
        for replay_id in (first, second):
            assert (await service.ended(replay_id))["sent"] == 0
        assert (await service.ended(third))["sent"] == 1
