"""The gateway's models say what its migrations make."""

from sqlalchemy import text

from gateway_service.models import GatewayTable
from sagaline.chassis.database import open_engine
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.services.test_migrations import DECLARED, constraints, differences


async def test_models_and_migrations_agree(postgres_server: TestServer, database_name: str) -> None:
    metadata = GatewayTable.metadata
    url = postgres_server.url(database_name, OWNER)
    engine = open_engine(url, pool_size=1, command_timeout_s=10)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences, metadata) == []
        await connection.execute(text(f"CREATE SCHEMA {DECLARED}"))
        beside = await connection.execution_options(schema_translate_map={None: DECLARED})
        await beside.run_sync(metadata.create_all)
        declared = await connection.run_sync(constraints, DECLARED)
        assert declared == await connection.run_sync(constraints, "public")
    await engine.dispose()
