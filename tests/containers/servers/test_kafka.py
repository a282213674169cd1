"""Kafka in a container, as its users meet it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sagaline.local.errors import ServerFailed
from sagaline.local.ports import LOOPBACK
from sagaline.testing.containers import KafkaContainer
from sagaline.testing.containers.servers import KafkaInContainer

TOPIC = "numbers"


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaContainer]:
    with KafkaContainer() as container:
        yield container


async def written(bootstrap: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def read(bootstrap: str) -> bytes:
    options = {"bootstrap_servers": bootstrap, "auto_offset_reset": "earliest"}
    async with AIOKafkaConsumer(TOPIC, **options) as consumer:
        value = (await consumer.getone()).value
    assert isinstance(value, bytes)
    return value


async def made(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()


async def test_what_is_written_is_read(kafka: KafkaContainer) -> None:
    await made(kafka.bootstrap)
    await written(kafka.bootstrap, b"1")
    assert await read(kafka.bootstrap) == b"1"


async def test_no_topic_is_there_that_nobody_made(kafka: KafkaContainer) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    (described,) = await admin.describe_topics(["nobody-made-this"])
    await admin.close()
    assert described["error_code"] != 0


def test_it_listens_on_the_loopback_address_alone(kafka: KafkaContainer) -> None:
    docker = kafka.get_wrapped_container()
    docker.reload()
    published = docker.attrs["NetworkSettings"]["Ports"].values()
    hosts = {each["HostIp"] for ports in published if ports for each in ports}
    assert hosts == {LOOPBACK}


async def test_its_data_outlives_a_kill_and_a_stop(tmp_path: Path, free_port: int) -> None:
    server = KafkaInContainer(port=free_port, log=tmp_path / "log")
    try:
        server.start()
        await made(server.bootstrap)
        await written(server.bootstrap, b"kept")
        for take_down in (server.kill, server.stop):
            take_down()
            assert not server.running
            server.start()
            assert await read(server.bootstrap) == b"kept"
    finally:
        server.end(patience_s=0)
    assert not server.running
    server.end(patience_s=0)  # once more does no harm


def test_why_it_did_not_start_is_told_with_what_it_said(tmp_path: Path, free_port: int) -> None:
    server = KafkaInContainer(port=free_port, log=tmp_path / "log")
    server.container.with_env("KAFKA_NODE_ID", "none")
    try:
        with pytest.raises(ServerFailed, match=r"(?s)did not start.*Invalid value none"):
            server.start()
    finally:
        server.end(patience_s=0)
    assert "ConfigException" in (tmp_path / "log").read_text()
