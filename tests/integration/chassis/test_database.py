"""A transaction's end, whatever it ends in."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.envelope import KEY_CHARACTERS_MAX, Outgoing
from sagaline.chassis.errors import UnroutableMessage
from sagaline.chassis.faults import passing
from sagaline.chassis.messages import Notice
from tests.integration.chassis.stage import Stage


async def kill_sessions_of(stage: Stage) -> None:
    """Whoever has a transaction open loses the connection."""
    await stage.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_task_that_is_cancelled_ends_though_its_connection_is_lost(stage: Stage) -> None:
    # The rollback fails, and its error must not stand in for the cancellation: who waits for the
    # task to end, at a shutdown while the database is down, would wait for ever.
    inside = asyncio.Event()

    async def hold() -> None:
        async with stage.database.transaction() as tx:
            await tx.execute(text("INSERT INTO effect (what) VALUES ('held')"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await inside.wait()
    await kill_sessions_of(stage)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await stage.query("SELECT 1 FROM effect") == []


async def test_a_statement_on_a_lost_connection_is_no_records_fault(stage: Stage) -> None:
    async def fail() -> None:
        async with stage.database.transaction() as tx:
            await tx.execute(text("INSERT INTO effect (what) VALUES ('held')"))
            await kill_sessions_of(stage)
            await tx.execute(text("SELECT 1"))

    with pytest.raises((DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)) as raised:
        await fail()
    assert passing(raised.value)


async def test_a_message_whose_readers_would_park_it_for_its_key_is_not_sent(stage: Stage) -> None:
    async def publish(characters: int) -> None:
        async with stage.database.transaction() as tx:
            notice = Notice(code="x", detail="y")
            tx.publish(Outgoing(notice, topic=stage.replies, key="x" * characters))

    await publish(KEY_CHARACTERS_MAX)
    with pytest.raises(UnroutableMessage, match="its key has more than 500 characters"):
        await publish(KEY_CHARACTERS_MAX + 1)
    assert len(await stage.query("SELECT 1 FROM sagaline.outbox")) == 1


async def test_what_is_cancelled_twice_leaves_nothing_for_the_next_transaction(
    stage: Stage,
) -> None:
    # The second cancellation, as of a stop that loses patience, meets the rollback. The session
    # must not go back to the pool with the transaction open: the next one would commit it.
    database = Database(open_engine(stage.url, pool_size=1, command_timeout_s=5))
    inside = asyncio.Event()

    async def hold() -> None:
        async with database.transaction() as tx:
            await tx.execute(text("INSERT INTO effect (what) VALUES ('held')"))
            inside.set()
            await tx.fetch("SELECT pg_sleep(10)")

    task = asyncio.create_task(hold())
    await inside.wait()
    await stage.sleeping()
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
    assert task.cancelled()
    async with database.transaction() as tx:
        await tx.execute(text("INSERT INTO effect (what) VALUES ('next')"))
    await database.close()
    assert await stage.query("SELECT what FROM effect") == [("next",)]
