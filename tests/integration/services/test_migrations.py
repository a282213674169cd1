"""What a service's models say is what its migrations make, down to each constraint."""

from importlib import import_module
from types import ModuleType
from typing import Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from sagaline.chassis.database import open_engine
from sagaline.testing import OWNER, Databases
from tests.integration.services.stage import SERVICES

DECLARED: Final = "declared"  # the schema in which the models' own tables are made
CONSTRAINTS = text(
    """
    SELECT relname, conname, contype, pg_get_constraintdef(pg_constraint.oid) AS said
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE connamespace = to_regnamespace(:schema) AND relname <> 'alembic_version'
    """
)


def metadata_of(service: str) -> MetaData:
    models: ModuleType = import_module(f"{service}.models")
    (base,) = (
        found
        for name, found in vars(models).items()
        if name.endswith("Table") and getattr(found, "__module__", "") == models.__name__
    )
    metadata = base.metadata
    assert isinstance(metadata, MetaData)
    assert metadata.tables
    return metadata


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def constraints(connection: Connection, schema: str) -> set[tuple[str, str, str]]:
    rows = connection.execute(CONSTRAINTS, {"schema": schema})
    return {(row.relname, row.conname, row.said.replace(f"{DECLARED}.", "")) for row in rows}


@pytest.mark.parametrize("service", SERVICES)
async def test_models_and_migrations_agree(service: str, databases: Databases) -> None:
    with databases.copied(service) as name:
        await _compare(metadata_of(service), databases.server.url(name, OWNER))


async def _compare(metadata: MetaData, url: str) -> None:
    engine = open_engine(url, pool_size=1, command_timeout_s=10)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences, metadata) == []
        # Alembic compares no checks: so the models' tables are made beside the migrated ones.
        await connection.execute(text(f"CREATE SCHEMA {DECLARED}"))
        beside = await connection.execution_options(schema_translate_map={None: DECLARED})
        await beside.run_sync(metadata.create_all)
        declared = await connection.run_sync(constraints, DECLARED)
        assert declared == await connection.run_sync(constraints, "public")
        assert any(said.startswith("CHECK") for _, _, said in declared)
    await engine.dispose()
