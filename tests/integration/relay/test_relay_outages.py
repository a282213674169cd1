"""The relay in bad times: lost sessions, stopped processes, brokers that die; nothing lost."""

import asyncio
import signal
import sys
from dataclasses import replace

from prometheus_client import CollectorRegistry

from sagaline.local.kafka import Kafka
from tests.integration.relay.stage import (
    LIMITS,
    Writer,
    create_topic,
    eventually,
    figure,
    first_values,
    is_,
    log_of,
    new_relay,
    running,
    traffic,
)

IN_FLIGHT = "sagaline_relay_rows_in_flight"
OLDEST = "sagaline_outbox_oldest_seconds"
PUBLISHED = "sagaline_relay_rows_total"
TAKEOVER_S = 20.0  # 3.5 s as a rule; a busy machine adds to it, and this times nothing


async def test_of_two_drainers_one_works_and_the_other_takes_over(
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
                lambda: is_(writer.epoch(), 2), within_s=TAKEOVER_S, what="one of them goes on"
            )
        await writer.write("after", "1")
        await writer.emptied(within_s=TAKEOVER_S)
        assert await writer.owner() == "second", "the other one has stopped"
    assert first_values(await log_of(kafka_bootstrap, topic)) == written | {"after": ["1"]}


async def test_a_drainer_hears_of_what_other_processes_commit(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    # By itself neither would look, or try for the lane, before the test is over.
    limits = replace(
        LIMITS,
        poll_min_ms=60_000,
        poll_max_ms=60_000,
        lock_poll_ms=60_000,
        idle_session_timeout_ms=200_000,
    )
    registry = CollectorRegistry()
    drains = new_relay(database_url, kafka_bootstrap, limits=limits, registry=registry)
    waits = new_relay(database_url, kafka_bootstrap, owner="other", limits=limits)
    async with running(drains):
        await eventually(lambda: drains.healthy, within_s=20, what="it drains")
        async with running(waits):
            await eventually(lambda: waits.healthy, within_s=20, what="it waits for its turn")
            await writer.write("key", "1", "2")
            waits.wake()
            await eventually(lambda: figure(registry, PUBLISHED) == 2, within_s=20, what="sent")
            assert await writer.owner() == "drainer"


async def test_a_stopped_process_loses_its_session_and_the_lane_goes_on(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    arguments = ["-m", "tests.integration.relay.process", database_url, kafka_bootstrap, "frozen"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        await eventually(lambda: is_(writer.owner(), "frozen"), within_s=20, what="it drains")
        process.send_signal(signal.SIGSTOP)
        await writer.write("key", "1", "2")
        async with running(new_relay(database_url, kafka_bootstrap, owner="next")):
            await eventually(
                lambda: is_(writer.owner(), "next"), within_s=TAKEOVER_S, what="taken over"
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
            await eventually(lambda: figure(figures, IN_FLIGHT), within_s=20, what="it sends")
            async with running(second):
                await writer.terminate(first.backend_pid)
                await eventually(
                    lambda: is_(writer.epoch(), 2), within_s=TAKEOVER_S, what="taken over"
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
            await eventually(lambda: _waits_for_lock(writer), within_s=20, what="acked")
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
        await eventually(lambda: figure(figures, PUBLISHED) > 50, within_s=20, what="rows flow")
        await asyncio.to_thread(own_kafka.kill)
        written = await writing
        await eventually(lambda: not relay.healthy, within_s=20, what="it says so")
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
        await eventually(lambda: figure(figures, IN_FLIGHT), within_s=20, what="it sends")
        stopping.set()
        await asyncio.wait_for(task, 20)
        assert await writer.waiting() == [("key", "2")]
        left = {one for one in asyncio.all_tasks() - others if not one.done()}
        assert not left - {asyncio.current_task()}, "the discarded producer left tasks behind"
    finally:
        own_kafka.resume()


async def test_the_oldest_rows_age_grows_while_kafka_is_away_from_the_start_on(
    writer: Writer, database_url: str
) -> None:
    figures = CollectorRegistry()
    await writer.write("key", "1")
    async with running(new_relay(database_url, "127.0.0.1:1", registry=figures)):
        await eventually(lambda: figure(figures, OLDEST), within_s=20, what="it is seen")
        seen_s = figure(figures, OLDEST)
        await eventually(lambda: figure(figures, OLDEST) > seen_s + 1, within_s=20, what="it grows")


async def test_nothing_is_old_where_nothing_waits_or_another_process_sees_to_it(
    writer: Writer, topic: str, database_url: str, kafka_bootstrap: str
) -> None:
    figures = CollectorRegistry()
    first = new_relay(database_url, "127.0.0.1:1", owner="first", registry=figures)
    await writer.write("key", "1")
    async with running(first):
        await eventually(lambda: figure(figures, OLDEST), within_s=20, what="it waits")
        others = CollectorRegistry()
        second = new_relay(database_url, kafka_bootstrap, owner="second", registry=others)
        async with running(second):

            async def taken_over() -> bool:
                if await writer.owner() == "first" and first.backend_pid is not None:
                    await writer.terminate(first.backend_pid)
                return await writer.owner() == "second"

            await eventually(taken_over, within_s=60, what="the other takes its turn")
            for name in (OLDEST, "sagaline_outbox_rows"):
                await eventually(
                    lambda name=name: not figure(figures, name),  # type: ignore[misc]  # bound now
                    within_s=20,
                    what="what another one drains is not shown here",
                )
            await writer.emptied()
            await eventually(lambda: not figure(others, OLDEST), within_s=20, what="nor here")
    assert first_values(await log_of(kafka_bootstrap, topic)) == {"key": ["1"]}


async def _waits_for_lock(writer: Writer) -> bool:
    found = await writer.connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'sagaline-relay' AND wait_event_type = 'Lock'"
    )
    return bool(found)
