"""The relay in good times: all rows that commit are published, each key's in order."""

from dataclasses import replace
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from sagaline.chassis.producer import ProducerLimits
from tests.integration.relay.stage import (
    LIMITS,
    Writer,
    first_values,
    log_of,
    new_relay,
    running,
    traffic,
)


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
