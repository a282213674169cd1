"""A consumer's client ends whole, also while Kafka is away, and ends nobody else with it."""

import asyncio
import logging
import random
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError

from sagaline.chassis.client_end import close_consumer
from sagaline.local import throwaway
from sagaline.local.kafka import Kafka
from tests.integration.chassis.rows import eventually

TOPIC = "left.alone"


@pytest.fixture
def kafka() -> Iterator[Kafka]:
    with throwaway.kafka(random.SystemRandom()) as server:
        yield server


async def make_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def test_nothing_of_a_client_runs_on_when_kafka_is_away(
    kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    await make_topic(kafka.bootstrap)
    before = asyncio.all_tasks()
    client = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await client.start()
    client.assign([TopicPartition(TOPIC, 0)])
    await client.position(TopicPartition(TOPIC, 0))  # it fetches from there
    # Between two tries it rests for longer than this test takes.
    client._fetcher._retry_backoff = 600.0
    with caplog.at_level(logging.ERROR, logger="aiokafka"):
        await asyncio.to_thread(kafka.kill)
        await eventually(lambda: "Failed fetch" in caplog.text, what="a fetch that rests")
    await close_consumer(client, within_ms=5_000)
    assert asyncio.all_tasks() == before


async def test_a_client_that_never_reached_kafka_is_closed_too() -> None:
    before = asyncio.all_tasks()
    client = AIOKafkaConsumer(TOPIC, bootstrap_servers="127.0.0.1:1")
    with pytest.raises(KafkaConnectionError):
        await client.start()
    await close_consumer(client, within_ms=5_000)
    assert asyncio.all_tasks() == before
