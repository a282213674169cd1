"""Migrations on a real PostgreSQL, with the roles that services have."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from sagaline.chassis import migrate
from sagaline.chassis.faults import passing
from sagaline.chassis.migrate import MigrationsMissing
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.echo import stage
from tests.integration.echo.service import EchoSettings

CHAINS = migrate.chains(EchoSettings.service)


@pytest.fixture
async def empty(postgres_server: TestServer) -> AsyncIterator[str]:
    """An empty database's name."""
    name = "echo_migrate"
    postgres_server.create_database(name)
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
async def engine(postgres_server: TestServer, empty: str) -> AsyncIterator[AsyncEngine]:
    """The running service's view of that database."""
    engine = migrate.open_engine(
        postgres_server.url(empty), connect_timeout_s=5, statement_timeout_s=5
    )
    yield engine
    await engine.dispose()


async def check(engine: AsyncEngine) -> None:
    await migrate.check(engine, CHAINS, service=EchoSettings.service)


async def test_a_start_on_an_empty_database_says_what_to_run(engine: AsyncEngine) -> None:
    with pytest.raises(MigrationsMissing, match=r"python -m tests\.integration\.echo migrate"):
        await check(engine)


async def test_after_migrating_once_or_twice_the_service_may_start(
    postgres_server: TestServer, empty: str, engine: AsyncEngine
) -> None:
    for _ in range(2):
        await stage.migrated(postgres_server.url(empty, OWNER))
        await check(engine)


async def test_only_the_chassis_chain_is_not_enough(
    postgres_server: TestServer, empty: str, engine: AsyncEngine
) -> None:
    owner = migrate.open_engine(
        postgres_server.url(empty, OWNER), connect_timeout_s=5, statement_timeout_s=5
    )
    applied: list[str] = []
    await migrate.upgrade(
        owner, CHAINS[:1], lock_timeout_ms=2_000, upgraded=lambda schema, _: applied.append(schema)
    )
    await owner.dispose()
    assert set(applied) == {"sagaline"}
    with pytest.raises(MigrationsMissing, match="schema public"):
        await check(engine)


async def test_a_services_chain_is_upgraded_where_the_chassis_chain_is_up_to_date(
    postgres_server: TestServer, empty: str, engine: AsyncEngine
) -> None:
    owner = migrate.open_engine(
        postgres_server.url(empty, OWNER), connect_timeout_s=5, statement_timeout_s=5
    )
    for chains in (CHAINS[:1], CHAINS):
        await migrate.upgrade(owner, chains, lock_timeout_ms=2_000, upgraded=lambda *_: None)
    await owner.dispose()
    await check(engine)


async def test_the_running_role_uses_the_tables_of_both_chains_and_alters_none(
    postgres_server: TestServer, empty: str
) -> None:
    await stage.migrated(postgres_server.url(empty, OWNER))
    session = await asyncpg.connect(postgres_server.url(empty))
    try:
        for table in ("note", "sagaline.outbox", "sagaline.barrier", "sagaline.positions"):
            await session.execute(f"DELETE FROM {table}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await session.execute(f"DROP TABLE {table}")
        await session.execute(
            "INSERT INTO sagaline.outbox (topic, key, type, message_id, headers, created_at)"
            " VALUES ('t', 'k', 'x', gen_random_uuid(), '{}', now())"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.execute("CREATE TABLE public.mine (a int)")
    finally:
        await session.close()


async def test_two_migrations_at_once_wait_for_each_other(
    postgres_server: TestServer, empty: str, engine: AsyncEngine
) -> None:
    variables = {"SAGALINE_ECHO_MIGRATION_URL": postgres_server.url(empty, OWNER)}
    async with (
        stage.started("migrate", variables) as one,
        stage.started("migrate", variables) as other,
    ):
        codes = (await one.exit_code(), await other.exit_code())
    assert codes == (0, 0), (one.lines, other.lines)
    lines = [line for line in one.lines + other.lines if line["event"] == "migrated"]
    applied = [(line["schema"], line["revision"]) for line in lines]
    assert len(applied) == len(set(applied)), "a revision was applied twice"
    assert {schema for schema, _ in applied} == {chain.schema for chain in CHAINS}
    await check(engine)


async def test_a_release_runs_on_the_tables_of_the_next_one(
    postgres_server: TestServer, empty: str, engine: AsyncEngine
) -> None:
    await stage.migrated(postgres_server.url(empty, OWNER))
    session = await asyncpg.connect(postgres_server.url(empty, OWNER))
    await session.execute("UPDATE public.alembic_version SET version_num = '9999'")
    await session.close()
    await check(engine)


async def test_a_migration_does_not_wait_long_for_a_tables_lock(
    postgres_server: TestServer, empty: str
) -> None:
    await stage.migrated(postgres_server.url(empty, OWNER))
    session = await asyncpg.connect(postgres_server.url(empty, OWNER))
    owner = migrate.open_engine(
        postgres_server.url(empty, OWNER), connect_timeout_s=5, statement_timeout_s=5
    )
    try:
        async with session.transaction():
            await session.execute("LOCK TABLE public.alembic_version IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(DBAPIError) as caught:
                await migrate.upgrade(
                    owner, CHAINS, lock_timeout_ms=50, upgraded=lambda _schema, _to: None
                )
        assert passing(caught.value)  # so `migrate` tries again
    finally:
        await session.close()
        await owner.dispose()
