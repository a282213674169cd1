"""Whose fault is it? Real errors of a real PostgreSQL, told apart."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from sagaline.chassis.database import Database, Transaction, open_engine
from sagaline.chassis.faults import passing
from sagaline.testing.runtime import TestServer
from tests.integration.chassis.stage import Stage


async def error_of(
    database: Database, *statements: str, given: dict[str, object] | None = None
) -> BaseException:
    """What the transaction with these statements ends in."""
    try:
        async with database.transaction() as tx:
            for statement in statements[:-1]:
                await tx.execute(text(statement))
            await tx.execute(text(statements[-1]), given)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told apart
        return error
    raise AssertionError("no error")


def raised(state: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'provoked' USING ERRCODE = '{state}'; END $$"


INSERT = "INSERT INTO effect (what) VALUES (:what)"


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(["SELECT pg_terminate_backend(pg_backend_pid())"], id="session killed"),
        pytest.param([raised("40P01")], id="deadlock"),
        pytest.param([raised("40001")], id="serialization"),
        pytest.param([raised("53100")], id="disk full"),
        pytest.param([raised("55P03")], id="lock timeout"),
        pytest.param([raised("58030")], id="I/O error"),
        pytest.param(["SET LOCAL statement_timeout = 1", "SELECT pg_sleep(5)"], id="slow"),
        pytest.param(["SET TRANSACTION READ ONLY", "DELETE FROM effect"], id="read only"),
    ],
)
async def test_what_passes_is_no_records_fault(shared: Stage, statements: list[str]) -> None:
    assert passing(await error_of(shared.database, *statements))


@pytest.mark.parametrize(
    "statement, given",
    [
        pytest.param("INSERT INTO effect SELECT 1 / 0", {}, id="division by zero"),
        pytest.param("INSERT INTO no_such_table VALUES (1)", {}, id="unknown table"),
        pytest.param(INSERT, {"what": "a\0b"}, id="NUL in a text"),
        # The driver refuses these before the server sees them; and they are no lost connection.
        pytest.param(INSERT, {"what": "\ud800"}, id="half a surrogate pair"),
        pytest.param(INSERT, {"what": 7}, id="number for a text"),
        pytest.param("SELECT CAST(:n AS int)", {"n": 2**31}, id="number too large"),
        pytest.param(
            "SELECT unnest(CAST(:n AS int[]))", {"n": [2**31]}, id="number too large, in an array"
        ),
    ],
)
async def test_what_comes_again_is_the_records_fault(
    shared: Stage, statement: str, given: dict[str, object]
) -> None:
    assert not passing(await error_of(shared.database, statement, given=given))


async def test_a_session_that_is_used_wrongly_is_the_codes_fault(shared: Stage) -> None:
    async def side_by_side(tx: Transaction) -> None:
        await asyncio.gather(tx.fetch("SELECT pg_sleep(1)"), tx.fetch("SELECT 1"))

    async def without_an_argument(tx: Transaction) -> None:
        await tx.fetch("SELECT $1::int")

    for wrongly in (side_by_side, without_an_argument):
        with pytest.raises(asyncpg.InterfaceError) as raised:
            async with shared.database.transaction() as tx:
                await wrongly(tx)
        assert not passing(raised.value)


async def test_an_answer_that_takes_too_long_passes(shared: Stage) -> None:
    database = shared.open_database(Database, timeout_s=0.2)
    assert passing(await error_of(database, "SELECT pg_sleep(5)"))
    await database.close()


async def test_a_pool_that_is_used_up_passes(shared: Stage) -> None:
    engine = open_engine(shared.url, pool_size=1, command_timeout_s=0.2)
    async with engine.connect():
        assert passing(await error_of(Database(engine), "SELECT 1"))
    await engine.dispose()


async def test_a_server_that_takes_no_more_connections_passes(
    stage: Stage, postgres_server: TestServer
) -> None:
    postgres_server.execute(f"ALTER DATABASE {stage.service} CONNECTION LIMIT 0")
    assert passing(await error_of(stage.database, "SELECT 1"))


async def test_a_server_that_is_not_there_passes() -> None:
    database = Database(
        open_engine("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1, command_timeout_s=1)
    )
    assert passing(await error_of(database, "SELECT 1"))
    await database.close()
