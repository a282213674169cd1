"""A database with the chassis' tables, a topic, and a Kafka of one's own to break."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from sagaline.local import throwaway
from sagaline.local.kafka import Kafka
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.relay.stage import (
    TABLES,
    Writer,
    create_topic,
)

TEMPLATE = "relay_template"


@pytest.fixture(scope="session")
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
    gc.freeze()  # what others made is none of ours, and takes long to look through
    yield
    gc.collect()
    gc.unfreeze()
    assert not complaints


@pytest.fixture
def database_url(postgres_server: TestServer, template: str) -> Iterator[str]:
    name = f"relay_{uuid4().hex[:8]}"
    postgres_server.create_database(name, template=template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
async def writer(database_url: str, postgres_server: TestServer) -> AsyncIterator[Writer]:
    name = urlsplit(database_url).path.removeprefix("/")
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
