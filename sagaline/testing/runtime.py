"""The PostgreSQL of a test session, as tests see it: databases come and go, the server stays."""

from collections.abc import Iterator
from contextlib import contextmanager

from sagaline.local.backing import PostgresServer
from sagaline.local.provisioning import provision
from sagaline.testing.copied_databases import CopiedDatabases

EMPTY = "sagaline_test"  # the database that throw-away ones are copied from
OWNER = f"{EMPTY}_owner"
APP = f"{EMPTY}_app"


class TestServer:
    """A PostgreSQL with databases for one test each, all of them with roles OWNER and APP."""

    __test__ = False  # pytest: not a class of tests

    def __init__(self, server: PostgresServer, databases: CopiedDatabases) -> None:
        self._server = server
        self._databases = databases

    @classmethod
    @contextmanager
    def on(cls, server: PostgresServer) -> Iterator["TestServer"]:
        """Use a server that runs, and is empty, for the block."""
        provision(server, [EMPTY])
        with CopiedDatabases(server.url(), owner=OWNER) as databases:
            yield cls(server, databases)

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
        self._databases.take(name, template=template)

    def drop_database(self, name: str) -> None:
        """Remove database `name` by and by, whoever is connected to it."""
        self._databases.drop(name)
