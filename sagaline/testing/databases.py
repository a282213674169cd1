"""Databases of services for one test each, migrated as the service's own release migrates them."""

import itertools
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.outbox import Outbox
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.topics.catalog import catalog
from sagaline.testing.runtime import OWNER, TestServer

POOL_SIZE = 8
TIMEOUT_S = 10
MESSAGE_BYTES_MAX = 262_144
MIGRATE_TIMEOUT_S = 90


class Databases:
    """The databases of the services in `config`, on `server`.

    A service is migrated once, by `python -m SERVICE migrate`; each test gets a copy of what that
    has made.
    """

    def __init__(self, server: TestServer, config: PlatformConfig) -> None:
        self.server = server
        self._config = config
        self._templates: dict[str, str] = {}  # by service
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def opened(self, service: str) -> AsyncIterator[Database]:
        """A new database of `service` for the block, opened as the service opens its own.

        What a transaction publishes goes into its outbox, checked against the catalog, and stays
        there: no relay runs.
        """
        outbox = Outbox(
            Codec(catalog(self._config)),
            service=service,
            message_bytes_max=MESSAGE_BYTES_MAX,
            clock=lambda: datetime.now(UTC),
        )
        with self.copied(service) as name:
            engine = open_engine(
                self.server.url(name), pool_size=POOL_SIZE, command_timeout_s=TIMEOUT_S
            )
            database = Database(engine, flush=outbox.flush)
            try:
                yield database
            finally:
                await database.close()

    @contextmanager
    def copied(self, service: str) -> Iterator[str]:
        """A new database of `service` for the block, by its name; nobody is connected to it."""
        name = f"{service}_{next(self._numbers)}"
        self.server.create_database(name, template=self._template(service))
        try:
            yield name
        finally:
            self.server.drop_database(name)

    def _template(self, service: str) -> str:
        if service not in self._templates:
            name = f"template_{service}"
            self.server.create_database(name)
            self._migrate(service, self.server.url(name, OWNER))
            self._templates[service] = name
        return self._templates[service]

    def _migrate(self, service: str, url: str) -> None:
        variable = f"{self._config.service(service).settings_prefix}_MIGRATION_URL"
        done = subprocess.run(
            [sys.executable, "-m", service, "migrate"],
            cwd=self._config.root,
            env={**os.environ, variable: url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MIGRATE_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{service} migrate: {done.stdout}"
