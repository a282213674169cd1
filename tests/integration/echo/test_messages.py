"""The shell that every service has: what requests publish, and what Kafka's absence changes."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.echo import stage
from tests.integration.echo.asking import heard, inside, problem, ready
from tests.integration.echo.service import TOPIC, Doors, service

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_what_a_request_publishes_goes_through_kafka_and_is_handled(
    database_url: str, bootstrap: str
) -> None:
    async with (
        service(stage.settings(database_url, bootstrap)).running() as running,
        inside(running) as client,
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
    database_url: str, bootstrap: str
) -> None:
    order_id = str(uuid4())
    async with (
        service(stage.settings(database_url, bootstrap)).running() as running,
        inside(running) as client,
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
    assert found == TRACE  # nothing is recorded here, so its caller stays its parent


async def test_while_kafka_is_down_requests_are_served_and_readiness_names_it(
    database_url: str,
) -> None:
    async with (
        service(stage.settings(database_url)).running() as running,
        inside(running) as client,
    ):
        note = f"/notes/{uuid4()}"
        assert (await client.put(note, json={"text": "hello"})).status_code == 201
        assert (await client.get("/livez")).status_code == 200
        document = problem(await client.get("/readyz"), status=503)
    named = {fault.field: fault.message for fault in document.errors or []}
    assert set(named) == {"relay", "consumer"}
    assert all(stage.NOBODY in message for message in named.values())


async def test_two_services_in_one_process_share_nothing(new_database: Callable[[], str]) -> None:
    note = f"/notes/{uuid4()}"
    async with (
        service(stage.settings(new_database())).running() as one,
        service(stage.settings(new_database())).running() as other,
        inside(one) as ones,
        inside(other) as others,
    ):
        assert one.metrics is not other.metrics
        assert one.part(Doors) is not other.part(Doors)
        assert (await ones.put(note, json={"text": "hello"})).status_code == 201
        assert (await others.get(note)).status_code == 404
