"""A service of its own for each test: migrated database, topics, group."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.chassis import stage as stages
from tests.integration.chassis.stage import Stage

TEMPLATE = "chassis_template"


@pytest.fixture(scope="session")
def chassis_template(postgres_server: TestServer) -> str:
    """A database as `migrate` leaves it; nobody stays connected to it."""
    postgres_server.create_database(TEMPLATE)
    asyncio.run(stages.migrated(postgres_server.url(TEMPLATE, OWNER)))
    return TEMPLATE


@pytest.fixture(scope="session")
def service_names() -> Iterator[str]:
    return (f"shop_{number}" for number in itertools.count(1))


@pytest_asyncio.fixture
async def stage(
    postgres_server: TestServer,
    kafka_bootstrap: str,
    chassis_template: str,
    service_names: Iterator[str],
) -> AsyncIterator[Stage]:
    """A service with its topics; nothing of it runs yet."""
    name = next(service_names)
    postgres_server.create_database(name, template=chassis_template)
    service = Stage(name, postgres_server.url(name), kafka_bootstrap)
    try:
        yield service
    finally:
        await service.close()
        postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def shared_database(postgres_server: TestServer, chassis_template: str) -> str:
    """The address of a database for tests that leave nothing in it."""
    postgres_server.create_database("shop_shared", template=chassis_template)
    return postgres_server.url("shop_shared")


@pytest_asyncio.fixture
async def shared(shared_database: str) -> AsyncIterator[Stage]:
    """A service on the shared database; it has no Kafka."""
    service = Stage("shop_shared", shared_database, "127.0.0.1:1")
    try:
        yield service
    finally:
        await service.close()
