"""The services' databases, from outside: at which revision each is, and brought to the newest."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from asyncpg import InterfaceError, PostgresError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from sagaline.chassis import migrate
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.migrate import Standing
from sagaline.local import packages
from sagaline.local.launch import Launch
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.run_file import RunFile
from sagaline.local.servers import Servers, embedded_servers
from sagaline.local.state_directory import StateDirectory

TIMEOUT_S = 10.0
CLOCK = "SELECT clock_timestamp()"
SET_ASIDE = """
    SELECT (SELECT count(*) FROM sagaline.parked),
        (SELECT count(*) FROM sagaline.outbox WHERE quarantined_at IS NOT NULL)
"""


class DatabaseAway(PlatformError):
    """The database of {service} can't be asked: {reason}. './sagactl status' tells more."""


@dataclass(frozen=True, slots=True)
class Revisions:
    """One service's database: where each chain of its tables is."""

    service: str
    standings: Sequence[Standing]

    @property
    def reached(self) -> bool:
        """Whether the tables are those of this release, or of a later one."""
        return all(each.reached for each in self.standings)


@dataclass(frozen=True, slots=True)
class Look:
    """What one database shows; nothing is counted where tables are missing.

    `clock_ahead`: its clock is so much ahead of ours.
    """

    revisions: Revisions
    clock_ahead: timedelta
    parked: int = 0
    quarantined: int = 0


class Databases:
    """The databases of the platform that runs in `state`, which `run_file` tells of.

    An answer of theirs takes `timeout_s` at most.
    """

    def __init__(
        self,
        config: PlatformConfig,
        state: StateDirectory,
        run_file: RunFile,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        # The ports of the platform that runs: the file may have been edited since.
        port = int(run_file.postgres.address.rpartition(":")[2])
        ports = replace(config.ports, postgres=port)
        self._config = config
        self._timeout_s = timeout_s
        self._servers = Servers(*embedded_servers(ports, state), tell=lambda _: None)
        self._launch = Launch(config, state, self._servers, {})
        packages.make_importable(config)

    async def revisions(self, service: str) -> Revisions:
        """Give where the tables of `service` are. Raises DatabaseAway."""
        async with self._engine(service) as engine:
            return Revisions(service, await migrate.standing(engine, migrate.chains(service)))

    async def look(self, service: str, now: Callable[[], datetime]) -> Look:
        """Look at the database of `service`, `now` being our clock. Raises DatabaseAway."""
        async with self._engine(service) as engine:
            revisions = Revisions(service, await migrate.standing(engine, migrate.chains(service)))
            async with engine.connect() as connection:
                before = now()
                theirs: datetime = (await connection.execute(text(CLOCK))).scalar_one()
                # A slow answer is no skew: it was given at some moment between the two.
                ahead = theirs - min(max(theirs, before), now())
                if not revisions.reached:
                    return Look(revisions, ahead)
                parked, quarantined = (await connection.execute(text(SET_ASIDE))).one()
                return Look(revisions, ahead, parked=parked, quarantined=quarantined)

    def upgrade(self, service: str) -> None:
        """The tables of `service` are those of this release. Raises SetupFailed."""
        self._launch.migrate(service)

    @asynccontextmanager
    async def _engine(self, service: str) -> AsyncIterator[AsyncEngine]:
        url = self._servers.postgres.url(service, f"{service}_owner")
        engine = migrate.open_engine(
            url, connect_timeout_s=self._timeout_s, statement_timeout_s=self._timeout_s
        )
        try:
            yield engine
        except (SQLAlchemyError, PostgresError, InterfaceError, OSError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise DatabaseAway(service=service, reason=reason) from error
        finally:
            await engine.dispose()
