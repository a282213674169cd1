"""A migrated database of its own for each test."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import pytest

from sagaline.chassis.database import Database
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.services import stage

Templates: TypeAlias = Mapping[str, str]


@pytest.fixture(scope="session")
def service_templates(postgres_server: TestServer) -> Templates:
    """Each service's database as `migrate` leaves it; nobody stays connected to it."""
    names = {service: f"template_{service}" for service in stage.SERVICES}
    for service, name in names.items():
        postgres_server.create_database(name)
        asyncio.run(stage.migrated(postgres_server.url(name, OWNER), service))
    return names


@pytest.fixture(scope="session")
def copy_numbers() -> Iterator[int]:
    """Numbers for the names of databases."""
    return itertools.count(1)


@pytest.fixture
def copied(
    postgres_server: TestServer, service_templates: Templates, copy_numbers: Iterator[int]
) -> Iterator[Callable[[str], str]]:
    """Copy a service's migrated database, and give the copy's name; the test's end drops it."""
    made: list[str] = []

    def copy(service: str) -> str:
        name = f"{service}_{next(copy_numbers)}"
        postgres_server.create_database(name, template=service_templates[service])
        made.append(name)
        return name

    yield copy
    for name in made:
        postgres_server.drop_database(name)


@pytest.fixture
def opened(postgres_server: TestServer, copied: Callable[[str], str]) -> stage.Opened:
    """Open a new database of a service, as its application role."""

    def opening(service: str) -> AbstractAsyncContextManager[Database]:
        return stage.database_at(postgres_server.url(copied(service)), service)

    return opening
