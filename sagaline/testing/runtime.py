"""pytest plugin: a real PostgreSQL and a real Kafka, started once a session, if a test asks.

    pytest -p sagaline.testing.runtime

Fixtures: `kafka_bootstrap`, `postgres_server`. A test that stops or kills a server takes one of its
own from `sagaline.local.throwaway`.
"""

import random
from collections.abc import Iterator

import pytest

from sagaline.local import throwaway
from sagaline.local.postgres import Postgres
from sagaline.local.provisioning import provision

EMPTY = "sagaline_test"  # the database that throw-away ones are copied from
OWNER = f"{EMPTY}_owner"
APP = f"{EMPTY}_app"


class TestServer:
    """The session's PostgreSQL: databases for one test each, all with roles OWNER and APP."""

    __test__ = False  # pytest: not a class of tests

    def __init__(self, server: Postgres) -> None:
        self._server = server

    def url(self, database: str, user: str = APP) -> str:
        """Give the address of `database` for OWNER (migrates), APP (runs) or `postgres`."""
        return self._server.url(database, user)

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement as the superuser, outside a transaction block."""
        self._server.execute(statement, database=database)

    def create_database(self, name: str, *, template: str = EMPTY) -> None:
        """Make database `name`, a copy of `template`, to which nobody may be connected.

        The default template is what a new service finds: roles and rights, no table. A suite that
        migrates one database and takes it as template pays for the migrations once.
        """
        self._server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{OWNER}"')
        self._server.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{APP}"')

    def drop_database(self, name: str) -> None:
        """Remove database `name`, whoever is connected to it."""
        self._server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[TestServer]:
    """A PostgreSQL for this session."""
    with throwaway.postgres(random.SystemRandom()) as server:
        provision(server, [EMPTY])
        yield TestServer(server)


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """The address of a Kafka for this session; topics are the tests' own to create."""
    with throwaway.kafka(random.SystemRandom()) as server:
        yield server.bootstrap
