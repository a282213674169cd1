"""Tables brought up to date: the chassis' chain of migrations, then the service's own.

See docs/architecture.md, "Data". Alembic runs on asyncpg, without a file of its own per service.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from sagaline.chassis.errors import PlatformError

LOCK = 0x5361_6761  # "Saga": one migration a database at a time


class MigrationsMissing(PlatformError):
    """The tables in schema {schema} are at {found}, this release needs {needed}.

    Run `python -m {service} migrate`, then start the service again.
    """


@dataclass(frozen=True, slots=True)
class Chain:
    """Alembic revisions in `folder`/versions, and the schema in which their version is kept."""

    folder: Path
    schema: str

    def scripts(self) -> ScriptDirectory:
        """The revisions, with their order."""
        return ScriptDirectory(str(self.folder))


def chains(service: str) -> tuple[Chain, ...]:
    """The chassis' chain, and then the one in the service's package, which may have none."""
    chassis = Chain(_migrations_of("sagaline.chassis"), "sagaline")
    if find_spec(service) is None or not (own := _migrations_of(service)).is_dir():
        return (chassis,)
    return (chassis, Chain(own, "public"))


def _migrations_of(package: str) -> Path:
    return Path(str(files(package))) / "migrations"


def open_engine(url: str, *, connect_timeout_s: float, statement_timeout_s: float) -> AsyncEngine:
    """An engine for migrations: a session for each use, and time enough for large tables."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        isolation_level="READ COMMITTED",
        poolclass=NullPool,
        connect_args={
            "timeout": connect_timeout_s,
            "command_timeout": statement_timeout_s,
            "server_settings": {"application_name": "sagaline-migrate"},
        },
    )


async def upgrade(
    engine: AsyncEngine,
    wanted: Sequence[Chain],
    *,
    lock_timeout_ms: int,
    upgraded: Callable[[str, str], None],
) -> None:
    """Every chain is at its head; each revision in a transaction of its own.

    Safe beside another one: they wait for each other. Within a process, one at a time: Alembic's
    `op` is a module.
    """
    async with engine.connect() as connection:
        async with connection.begin():
            # Held by the session, over the revisions' transactions.
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        try:
            async with connection.begin():
                await _prepare(connection, lock_timeout_ms)
            for chain in wanted:
                await connection.run_sync(_upgrade, chain, upgraded)
                # A chain with nothing to do leaves the transaction of its look open. The next one
                # would take it for the caller's, and commit none of its revisions.
                await connection.rollback()
        finally:
            await connection.invalidate()  # and with the session goes the lock


async def _prepare(connection: AsyncConnection, lock_timeout_ms: int) -> None:
    # Waiting for a table's lock, a migration would hold up each query that comes after it.
    await connection.execute(
        text("SELECT set_config('lock_timeout', :timeout, false)"),
        {"timeout": str(lock_timeout_ms)},
    )
    await connection.execute(text("CREATE SCHEMA IF NOT EXISTS sagaline"))


def _upgrade(connection: Connection, chain: Chain, upgraded: Callable[[str, str], None]) -> None:
    scripts = chain.scripts()
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table_schema": chain.schema,
            "transaction_per_migration": True,
            "fn": lambda revision, _: scripts._upgrade_revs("heads", revision),  # noqa: SLF001
            "on_version_apply": [
                lambda step, **_: upgraded(chain.schema, step.up_revision_id),
            ],
        },
    )
    with Operations.context(context):
        context.run_migrations()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one chain's tables are: at revisions `found`, while this release needs `needed`.

    `reached`: they are those of this release, or of a later one.
    """

    schema: str
    found: tuple[str, ...]
    needed: tuple[str, ...]
    reached: bool


async def standing(engine: AsyncEngine, wanted: Sequence[Chain]) -> list[Standing]:
    """Where each chain's tables are, in this order."""
    async with engine.connect() as connection:
        return [await connection.run_sync(_standing, chain) for chain in wanted]


async def check(engine: AsyncEngine, wanted: Sequence[Chain], *, service: str) -> None:
    """Raise MigrationsMissing unless the tables are those of this release, or of a later one."""
    for each in await standing(engine, wanted):
        if not each.reached:
            raise MigrationsMissing(
                service=service,
                schema=each.schema,
                found=", ".join(each.found) or "nothing",
                needed=", ".join(each.needed),
            )


def _standing(connection: Connection, chain: Chain) -> Standing:
    context = MigrationContext.configure(connection, opts={"version_table_schema": chain.schema})
    found = tuple(sorted(context.get_current_heads()))
    scripts = chain.scripts()
    needed = set(scripts.get_heads())
    reached = not needed or all(_reaches(scripts, at, needed) for at in found or ("base",))
    return Standing(chain.schema, found, tuple(sorted(needed)), reached)


def _reaches(scripts: ScriptDirectory, at: str, needed: set[str]) -> bool:
    """A revision that is unknown here is a later release's: those only add to what we use."""
    try:
        return at != "base" and (scripts.get_revision(at) is None or at in needed)
    except (CommandError, ResolutionError):
        return True
