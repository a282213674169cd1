"""The relay on a real PostgreSQL and a real Kafka: nothing lost, each key's order kept."""

import asyncio
import gc
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from sagaline.chassis.envelope import reply_id
from sagaline.chassis.producer import ProducerLimits
from sagaline.local import throwaway
from sagaline.local.kafka import Kafka
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.relay_stage import (
    LIMITS,
    TABLES,
    Writer,
    create_topic,
    eventually,
    figure,
    first_values,
    log_of,
    new_relay,
    running,
)

T = TypeVar("T")
IN_FLIGHT = "sagaline_relay_rows_in_flight"
PUBLISHED = "sagaline_relay_rows_total"
TEMPLATE = "relay_template"
TAKEOVER_S = 5.0


@pytest.fixture(scope="module")
def template(postgres_server: TestServer) -> Iterator[str]:
    """A database with the chassis' tables, to be copied."""

    async def fill() -> None:
        connection = await asyncpg.connect(postgres_server.url(TEMPLATE, OWNER))
        for statement in TABLES:
            await connection.execute(statement)
        await connection.close()

    postgres_server.create_database(TEMPLATE)
    asyncio.run(fill())
    yield TEMPLATE
    postgres_server.drop_database(TEMPLATE)


@pytest.fixture(autouse=True)
async def nothing_complained() -> AsyncIterator[None]:
    """No task or future was left behind with an error that nobody looked at."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    gc.collect()
    assert not complaints


@pytest.fixture
def database_url(postgres_server: TestServer, template: str) -> Iterator[str]:
    name = f"relay_{uuid4().hex[:8]}"
    postgres_server.create_database(name, template=template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
async def writer(database_url: str, postgres_server: TestServer) -> AsyncIterator[Writer]:
    name = database_url.rsplit("/", 1)[1]
    connection = await asyncpg.connect(postgres_server.url(name, "postgres"))
    yield Writer(connection, f"relay.{uuid4().hex[:8]}")
    await connection.close()


@pytest.fixture
async def topic(writer: Writer, kafka_bootstrap: str) -> str:
    await create_topic(kafka_bootstrap, writer.topic)
    return writer.topic


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[Kafka]:
    """A Kafka that a test may pause, stop and kill; it must run again afterwards."""
    with throwaway.kafka(random.Random()) as kafka:
        yield kafka


async def traffic(url: str, topic: str, *, keys: int, each: int) -> dict[str, list[str]]:
    """Transactions side by side, a row each, a key's one after the other; what was written."""
    pool = await asyncpg.create_pool(url, min_size=4, max_size=4)
    written: dict[str, list[str]] = {}

    async def one_key(key: str) -> None:
        for number in range(each):
            async with pool.acquire() as connection:
                await Writer(connection, topic).write(key, str(number))
            written.setdefault(key, []).append(str(number))

    await asyncio.gather(*(one_key(str(uuid4())) for _ in range(keys)))
    await pool.close()
    return written


async def test_a_row_that_commits_after_a_higher_id_is_published(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    late = await asyncpg.connect(database_url)
    async with running(new_relay(database_url, kafka_bootstrap)):
        async with late.transaction():
            (low,) = await Writer(late, topic).write("late", "1")
            (high,) = await writer.write("early", "1")
            await writer.emptied()
            assert low < high
        await writer.emptied()
    await late.close()
    assert [sent.key for sent in await log_of(kafka_bootstrap, topic)] == ["early", "late"]


async def test_each_key_keeps_its_order_under_traffic(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    limits = replace(LIMITS, rows_max=50)
    async with running(new_relay(database_url, kafka_bootstrap, limits=limits)) as relay:
        written = await traffic(database_url, topic, keys=40, each=20)
        relay.wake()
        await writer.emptied()
    sent = await log_of(kafka_bootstrap, topic)
    assert first_values(sent) == written
    assert len(sent) == 40 * 20, "without a failure nothing is sent twice"


async def test_rows_that_do_not_fit_a_batch_wait_and_so_does_what_follows_them(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    # Small rows would fit behind a large one that doesn't: they must not overtake it.
    values = [str(number) * (900 if number % 3 else 10) for number in range(60)]
    await writer.write("one-key", *values)
    limits = replace(LIMITS, producer=ProducerLimits(batch_bytes_max=4_000))
    async with running(new_relay(database_url, kafka_bootstrap, limits=limits)):
        await writer.emptied()
    assert [sent.value for sent in await log_of(kafka_bootstrap, topic)] == values


async def test_a_key_goes_to_the_partition_where_every_kafka_client_looks_for_it(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    keys = [str(uuid4()) for _ in range(20)]
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as other:
        placed = {
            key: (await other.send_and_wait(topic, b"", key=key.encode())).partition for key in keys
        }
    for key in keys:
        await writer.write(key, "ours", headers={"ce_type": "x", "ce_subject": key})
    async with running(new_relay(database_url, kafka_bootstrap)):
        await writer.emptied()
    ours = [sent for sent in await log_of(kafka_bootstrap, topic) if sent.value == "ours"]
    assert {sent.key: sent.partition for sent in ours} == placed
    assert all(sent.headers == {"ce_type": "x", "ce_subject": sent.key} for sent in ours)


async def test_of_two_drainers_one_works_and_the_other_takes_over_within_5_s(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    first = new_relay(database_url, kafka_bootstrap, owner="first")
    second = new_relay(database_url, kafka_bootstrap, owner="second")
    async with running(second):
        async with running(first):
            written = await traffic(database_url, topic, keys=10, each=20)
            await writer.emptied()
            assert first.healthy
            assert second.healthy, "to wait for one's turn is no fault"
            assert await writer.epoch() == 1, "nobody took the lane from the one that has it"
            working = first if await writer.owner() == "first" else second
            await writer.terminate(working.backend_pid)
            await eventually(
                lambda: _is(writer.epoch(), 2), within_s=TAKEOVER_S, what="one of them goes on"
            )
        await writer.write("after", "1")
        await writer.emptied(within_s=TAKEOVER_S)
        assert await writer.owner() == "second", "the other one has stopped"
    assert first_values(await log_of(kafka_bootstrap, topic)) == written | {"after": ["1"]}


async def test_a_stopped_process_loses_its_session_and_the_lane_goes_on(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    arguments = ["-m", "tests.integration.relay_process", database_url, kafka_bootstrap, "frozen"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        await eventually(lambda: _is(writer.owner(), "frozen"), within_s=20, what="it drains")
        process.send_signal(signal.SIGSTOP)
        await writer.write("key", "1", "2")
        async with running(new_relay(database_url, kafka_bootstrap, owner="next")):
            await eventually(
                lambda: _is(writer.owner(), "next"), within_s=TAKEOVER_S, what="taken over"
            )
            await writer.emptied()
            process.send_signal(signal.SIGCONT)
            await writer.write("key", "3")
            await writer.emptied()
            assert await writer.owner() == "next", "who wakes up waits for its turn"
    finally:
        process.kill()
        await process.wait()
    assert first_values(await log_of(kafka_bootstrap, topic)) == {"key": ["1", "2", "3"]}


async def test_a_session_lost_in_mid_send_loses_nothing(
    writer: Writer, database_url: str, own_kafka: Kafka
) -> None:
    await create_topic(own_kafka.bootstrap, writer.topic)
    figures = CollectorRegistry()
    first = new_relay(database_url, own_kafka.bootstrap, owner="first", registry=figures)
    second = new_relay(database_url, own_kafka.bootstrap, owner="second")
    async with running(first):
        await writer.write("key", "0")
        await writer.emptied()
        own_kafka.pause()  # what is sent from here on has no answer
        try:
            for number in range(1, 4):
                await writer.write("key", str(number))
            await eventually(lambda: figure(figures, IN_FLIGHT), within_s=5, what="it sends")
            async with running(second):
                await writer.terminate(first.backend_pid)
                await eventually(
                    lambda: _is(writer.epoch(), 2), within_s=TAKEOVER_S, what="taken over"
                )
                for number in range(4, 7):
                    await writer.write("key", str(number))
                own_kafka.resume()
                await writer.emptied(within_s=20)
        finally:
            own_kafka.resume()
    sent = first_values(await log_of(own_kafka.bootstrap, writer.topic))
    assert sent == {"key": [str(number) for number in range(7)]}


async def test_a_crash_between_ack_and_delete_sends_twice_and_loses_nothing(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    ids = await writer.write("key", "1", "2")
    relay = new_relay(database_url, kafka_bootstrap)
    async with running(relay):
        async with writer.connection.transaction():
            # The relay reads and publishes the rows, and then waits for their lock to delete them.
            await writer.connection.execute(
                "SELECT FROM sagaline.outbox WHERE id = ANY ($1) FOR UPDATE", ids
            )
            await eventually(lambda: _waits_for_lock(writer), within_s=10, what="acked")
            await writer.terminate(relay.backend_pid)
        await writer.emptied()
    assert [sent.value for sent in await log_of(kafka_bootstrap, topic)] == ["1", "2", "1", "2"]


async def test_a_broker_that_stops_and_comes_back_in_mid_traffic_delays_and_loses_nothing(
    writer: Writer, database_url: str, own_kafka: Kafka
) -> None:
    await create_topic(own_kafka.bootstrap, writer.topic)
    figures = CollectorRegistry()
    relay = new_relay(database_url, own_kafka.bootstrap, registry=figures)
    async with running(relay):
        writing = asyncio.create_task(traffic(database_url, writer.topic, keys=20, each=60))
        await eventually(lambda: figure(figures, PUBLISHED) > 50, within_s=10, what="rows flow")
        await asyncio.to_thread(own_kafka.kill)
        written = await writing
        await eventually(lambda: not relay.healthy, within_s=10, what="it says so")
        assert relay.problem is not None
        await asyncio.to_thread(own_kafka.start)
        await writer.emptied(within_s=30)
        assert relay.healthy
        assert await writer.epoch() == 1, "the session was kept through the outage"
    assert first_values(await log_of(own_kafka.bootstrap, writer.topic)) == written


async def test_a_silent_broker_does_not_keep_the_relay_from_stopping(
    writer: Writer, database_url: str, own_kafka: Kafka
) -> None:
    await create_topic(own_kafka.bootstrap, writer.topic)
    figures = CollectorRegistry()
    relay = new_relay(database_url, own_kafka.bootstrap, registry=figures)
    stopping = asyncio.Event()
    task = asyncio.create_task(relay.run(stopping))
    await writer.write("key", "1")
    await writer.emptied()
    others = asyncio.all_tasks() - {task}
    own_kafka.pause()
    try:
        await writer.write("key", "2")
        await eventually(lambda: figure(figures, IN_FLIGHT), within_s=5, what="it sends")
        stopping.set()
        await asyncio.wait_for(task, 4)
        assert await writer.waiting() == [("key", "2")]
        left = {one for one in asyncio.all_tasks() - others if not one.done()}
        assert not left - {asyncio.current_task()}, "the discarded producer left tasks behind"
    finally:
        own_kafka.resume()


async def test_a_row_too_large_for_its_topic_is_quarantined_with_its_key_and_others_flow(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    small = f"{topic}.small"
    await create_topic(kafka_bootstrap, small, partitions=1, settings={"max.message.bytes": "1000"})
    await writer.write("good", "1", topic=small)
    await writer.write("bad", "1", topic=small)
    await writer.write("bad", "x" * 5_000, topic=small)
    await writer.write("good", "2", topic=small)
    await writer.write("other", "1", topic=topic)
    async with running(new_relay(database_url, kafka_bootstrap)):
        await eventually(
            lambda: _is(writer.quarantined(), ["bad"]), within_s=10, what="quarantined"
        )
        await writer.write("bad", "3", topic=topic)
        await writer.write("good", "3", topic=small)
        await eventually(
            lambda: _is(writer.quarantined(), ["bad", "bad"]),
            within_s=5,
            what="what follows is quarantined with it",
        )
        await eventually(
            lambda: _is(writer.waiting(), [("bad", "x" * 5_000), ("bad", "3")]),
            within_s=5,
            what="everything else is published",
        )
    sent = await log_of(kafka_bootstrap, small, partitions=1)
    assert first_values(sent) == {"good": ["1", "2", "3"], "bad": ["1"]}


async def test_a_quarantined_reply_tells_its_saga_that_the_step_is_parked(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    replies = "inventory.replies.v1"  # its owner in the catalog is this relay's service
    await create_topic(
        kafka_bootstrap, replies, partitions=1, settings={"max.message.bytes": "1500"}
    )
    command, key = uuid4(), str(uuid4())
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": "inventory.replies.StockReserved",
        "ce_source": "/inventory_service",
        "ce_subject": key,
        "ce_time": "2026-01-01T00:00:00Z",
        "ce_sagaid": str(uuid4()),
        "ce_sagastep": "reserve_stock",
        "ce_sagadirection": "action",
        "ce_sagageneration": "3",
        "ce_sagaoutcome": "succeeded",
        "ce_causationid": str(command),
    }
    later = headers | {"ce_sagastep": "commit_stock", "ce_causationid": str(uuid4())}
    await writer.write(key, "x" * 5_000, topic=replies, headers=headers)
    async with running(new_relay(database_url, kafka_bootstrap)):
        await eventually(lambda: _is(writer.quarantined(), [key]), within_s=10, what="quarantined")
        await writer.write(key, "fits", topic=replies, headers=later)
        await eventually(
            lambda: _is(writer.quarantined(), [key, key]), within_s=5, what="and what follows"
        )
        await eventually(lambda: _is(_count(writer), 2), within_s=5, what="notices are published")
    notices = await log_of(kafka_bootstrap, replies, partitions=1)
    assert [notice.headers["ce_sagastep"] for notice in notices] == [
        "reserve_stock",
        "commit_stock",
    ]
    notice = notices[0]
    assert notice.key == key
    assert notice.headers["ce_type"] == "sagaline.Notice"
    assert notice.headers["ce_id"] == str(reply_id(command, "parked"))
    same = {"ce_sagaid", "ce_sagastep", "ce_sagadirection", "ce_sagageneration", "ce_causationid"}
    assert {name: notice.headers[name] for name in same} == {name: headers[name] for name in same}
    assert notice.headers["ce_sagaoutcome"] == "parked"


async def test_a_topic_that_comes_late_gets_its_rows_and_holds_up_nobody(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    limits = replace(LIMITS, unpublishable_tries_max=1_000)
    async with running(new_relay(database_url, kafka_bootstrap, limits=limits)):
        await writer.write("early", "1", "2", topic=f"{topic}.late")
        await writer.write("other", "1")
        await eventually(
            lambda: _is(writer.waiting(), [("early", "1"), ("early", "2")]),
            within_s=5,
            what="others flow",
        )
        await create_topic(kafka_bootstrap, f"{topic}.late")
        await writer.emptied()
    sent = await log_of(kafka_bootstrap, f"{topic}.late")
    assert [record.value for record in sent] == ["1", "2"]


async def test_rows_of_a_topic_that_never_comes_are_quarantined(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    async with running(new_relay(database_url, kafka_bootstrap)):
        await writer.write("lost", "1", "2", topic=f"{topic}.never")
        await writer.write("kept", "1")
        await eventually(
            lambda: _is(writer.quarantined(), ["lost", "lost"]), within_s=10, what="quarantined"
        )
        await writer.write("kept", "2")
        await eventually(lambda: _is(_count(writer), 2), within_s=5, what="others flow")


async def _is(found: Awaitable[T], wanted: T) -> bool:
    return await found == wanted


async def _count(writer: Writer) -> int:
    return len(await writer.waiting())


async def _waits_for_lock(writer: Writer) -> bool:
    found = await writer.connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'sagaline-relay' AND wait_event_type = 'Lock'"
    )
    return bool(found)
