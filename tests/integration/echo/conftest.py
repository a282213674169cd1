"""A migrated database of its own for each test, and Kafka with the echo's topic."""

import asyncio
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorNotAvailableError

from sagaline.chassis import topics
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.echo import stage
from tests.integration.echo.service import CATALOG, EchoSettings


@pytest.fixture(scope="session")
def template(postgres_server: TestServer) -> str:
    """The echo's database as `migrate` leaves it."""
    postgres_server.create_database("echo_template")
    asyncio.run(stage.migrated(postgres_server.url("echo_template", OWNER)))
    return "echo_template"


@pytest.fixture
def new_database(postgres_server: TestServer, template: str) -> Iterator[Callable[[], str]]:
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
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database."""
    return new_database()


@pytest.fixture
async def bootstrap(kafka_bootstrap: str) -> str:
    """Kafka with the echo's topic on it, and groups that can be joined."""
    await topics.create(
        CATALOG,
        service=EchoSettings.service,
        bootstrap=kafka_bootstrap,
        partitions=None,
        replicas=1,
        timeout_ms=10_000,
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await stage.becomes(lambda: _coordinates(admin), bool)
    finally:
        await admin.close()
    return kafka_bootstrap


async def _coordinates(admin: AIOKafkaAdminClient) -> bool:
    """A new Kafka doesn't for a while, and clients log that as an error."""
    try:
        await admin.find_coordinator(EchoSettings.service)
    except CoordinatorNotAvailableError:
        return False
    return True
