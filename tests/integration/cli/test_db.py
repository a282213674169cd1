"""`sagactl db`: revisions beside the newest, and the way there."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from sagaline.local.platform_config import PlatformConfig
from sagaline.local.postgres import Postgres
from sagaline.local.state_directory import StateDirectory
from tests.integration.cli.folder import Folder

pytestmark = pytest.mark.timeout(300)
SERVICE = "notification_service"


def execute(folder: Folder, statement: str) -> None:
    """As the owner of the tables of `SERVICE`."""
    port = PlatformConfig.find(folder.path).ports.postgres
    postgres = Postgres(StateDirectory(folder.state).postgres, port=port)

    async def executed() -> None:
        connection = await asyncpg.connect(postgres.url(SERVICE, f"{SERVICE}_owner"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(executed())


DROP_OWN_TABLES = """
    DO $$ DECLARE own text; BEGIN
        FOR own IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('DROP TABLE public.%I CASCADE', own);
        END LOOP;
    END $$
"""


def services(folder: Folder, *arguments: str) -> Mapping[str, Any]:
    found = folder.json("db", *arguments)["services"]
    assert isinstance(found, dict)
    return found


def test_after_up_every_database_is_at_the_newest_revision(up: Folder) -> None:
    shown = up.run("db", "status")
    assert (shown.returncode, shown.stderr) == (0, "")
    found = services(up, "status")
    assert list(found) == [each.name for each in PlatformConfig.find(up.path).services]
    for service in found.values():
        assert service["up_to_date"]
        assert list(service["schemas"]) == ["sagaline", "public"]
        for schema in service["schemas"].values():
            assert schema["at"] == schema["newest"] != []


def test_tables_that_are_behind_are_named_and_upgraded(up: Folder) -> None:
    execute(up, DROP_OWN_TABLES)
    behind = up.run("db", "status")
    assert behind.returncode == 1
    words = [line.split()[-1] for line in behind.stdout.splitlines() if SERVICE in line]
    assert words == ["ok", "behind"]
    assert up.run("db", "status", "--service", "order_service").returncode == 0

    assert list(services(up, "upgrade", "--service", SERVICE)) == [SERVICE]
    assert up.run("db", "status").returncode == 0
    assert max(map(len, up.run("db", "status").stdout.splitlines())) <= 80


def test_a_later_releases_tables_are_no_fault(up: Folder) -> None:
    (at,) = services(up, "status")[SERVICE]["schemas"]["public"]["at"]
    execute(up, "UPDATE public.alembic_version SET version_num = '9999'")
    try:
        shown = up.run("db", "status")
        assert shown.returncode == 0
        assert "ahead, a later release's" in shown.stdout
    finally:
        execute(up, f"UPDATE public.alembic_version SET version_num = '{at}'")


def test_a_service_that_there_is_not_is_wrong_usage(up: Folder) -> None:
    refused = up.run("db", "status", "--service", "no_service")
    assert refused.returncode == 2
    assert "no_service is none of gateway_service" in refused.stderr
