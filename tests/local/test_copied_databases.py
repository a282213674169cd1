"""Databases for tests: each a new copy, whatever became of the one before."""

import asyncpg

from sagaline.testing.runtime import OWNER, TestServer


async def tables(server: TestServer, name: str) -> int:
    """How many tables of ours the database has."""
    session = await asyncpg.connect(server.url(name, OWNER))
    counted = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    found: int = await session.fetchval(counted)
    await session.close()
    return found


async def test_each_is_as_its_template_whatever_the_last_one_has_seen(
    postgres_server: TestServer,
) -> None:
    for name in ("copied_1", "copied_2", "copied_2"):  # also one whose name was there before
        postgres_server.create_database(name)
        assert await tables(postgres_server, name) == 0
        used = await asyncpg.connect(postgres_server.url(name, OWNER))
        await used.execute("CREATE TABLE left_behind ()")
        postgres_server.drop_database(name)  # somebody is connected to it
        used.terminate()


async def test_a_copy_can_be_the_template_of_others(postgres_server: TestServer) -> None:
    postgres_server.create_database("copied_template")
    session = await asyncpg.connect(postgres_server.url("copied_template", OWNER))
    await session.execute("CREATE TABLE shelf ()")
    await session.close()
    postgres_server.create_database("copied_3", template="copied_template")
    assert await tables(postgres_server, "copied_3") == 1
    for name in ("copied_3", "copied_template"):
        postgres_server.drop_database(name)
