"""A migrated gateway database of its own for each test."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.gateway.stage import Gateway, gateway_at, migrated

TEMPLATE = "gateway_template"


@pytest.fixture(scope="session")
def gateway_databases(postgres_server: TestServer) -> Iterator[str]:
    """Names of databases as `migrate` leaves them are made from this; nobody is connected to it."""
    postgres_server.create_database(TEMPLATE)
    asyncio.run(migrated(postgres_server.url(TEMPLATE, OWNER)))
    return (f"gateway_{number}" for number in itertools.count(1))


@pytest.fixture
def database_name(postgres_server: TestServer, gateway_databases: Iterator[str]) -> Iterator[str]:
    """A gateway's database, empty."""
    name = next(gateway_databases)
    postgres_server.create_database(name, template=TEMPLATE)
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def database_url(postgres_server: TestServer, database_name: str) -> str:
    """Its address, for the role that runs the gateway."""
    return postgres_server.url(database_name)


@pytest_asyncio.fixture
async def gateway(database_url: str) -> AsyncIterator[Gateway]:
    """One gateway process on it."""
    async with gateway_at(database_url) as gateway:
        yield gateway
