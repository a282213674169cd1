"""What goes away by itself blames no record: all are handled, and each once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Database, Transaction
from sagaline.testing.runtime import TestServer
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.shop import Hook, once
from tests.integration.chassis.stage import Stage

ORDERS = range(1, 21)


def says(statement: str) -> Hook:
    """A hook that runs this statement in the batch's transaction."""

    async def hook(tx: Transaction, _batch: Sequence[Message]) -> None:
        await tx.execute(text(statement))

    return hook


def fails_with(state: str) -> Hook:
    return says(f"DO $$ BEGIN RAISE EXCEPTION 'provoked' USING ERRCODE = '{state}'; END $$")


async def all_handled_once(stage: Stage) -> None:
    """Every order has its effect once, one answer, and none is parked."""
    assert await stage.effects() == {(number, "reserved"): 1 for number in ORDERS}
    answers = [(each.order, each.outcome) for each in await stage.answers()]
    assert sorted(answers) == [(number, "succeeded") for number in ORDERS]
    assert await stage.parked() == []


@asynccontextmanager
async def superuser(stage: Stage, server: TestServer) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.url(stage.service, "postgres"))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(fails_with("40001"), id="serialization failure"),
        pytest.param(fails_with("53100"), id="disk full"),
        pytest.param(says("SELECT pg_terminate_backend(pg_backend_pid())"), id="session killed"),
    ],
)
async def test_an_error_in_mid_batch(stage: Stage, hook: Hook) -> None:
    stage.shop.after = once(hook)
    await stage.handle_all(*(stage.action(number) for number in ORDERS))
    assert stage.shop.batches[0] == stage.shop.batches[1]  # the whole batch again, not bisected
    await all_handled_once(stage)


async def test_a_deadlock(stage: Stage, postgres_server: TestServer) -> None:
    async with superuser(stage, postgres_server) as other:
        # Who looks first for a deadlock is its victim: here it is the service.
        await other.execute(f"ALTER DATABASE {stage.service} SET deadlock_timeout = '20ms'")
        await other.execute("SET deadlock_timeout = '10s'")
        await other.execute("BEGIN")
        await other.execute("SELECT pg_advisory_xact_lock(2)")

        locks: list[asyncio.Task[str]] = []

        async def deadlock(tx: Transaction, _batch: Sequence[Message]) -> None:
            await tx.execute(text("SELECT pg_advisory_xact_lock(1)"))
            locks.append(asyncio.create_task(other.execute("SELECT pg_advisory_xact_lock(1)")))
            await stage.wait_for_locks(1)
            await tx.execute(text("SELECT pg_advisory_xact_lock(2)"))

        stage.shop.after = once(deadlock)
        await stage.handle_all(*(stage.action(number) for number in ORDERS))
        await asyncio.gather(*locks)
    assert len(stage.shop.batches) == 2
    await all_handled_once(stage)


async def test_a_session_that_is_killed_in_its_commit(
    stage: Stage, postgres_server: TestServer
) -> None:
    async with superuser(stage, postgres_server) as other:
        await other.execute("""
            CREATE SEQUENCE commits;
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid());
                END IF;
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON effect
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()
        """)
    await stage.handle_all(*(stage.action(number) for number in ORDERS))
    await all_handled_once(stage)


class Deaf(Database):
    """Does not hear the server's answer to its first commit of effects."""

    heard = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with super().transaction() as tx:
            yield tx
        if tx.outgoing and not self.heard:
            self.heard = True
            raise ConnectionResetError("the commit's answer is lost")


async def test_a_commit_of_which_nothing_is_heard(stage: Stage) -> None:
    # The position says that it was committed: we are fenced by ourselves, and claim anew.
    deaf = stage.open_database(Deaf)
    await stage.send(*(stage.action(number) for number in ORDERS))
    async with stage.consuming(database=deaf):
        await stage.all_read()
        await stage.send(stage.action(1))
        await stage.all_read()
    await deaf.close()
    assert deaf.heard
    assert await stage.outcomes(1) == ["succeeded"] * 2
    assert await stage.effects() == {(number, "reserved"): 1 for number in ORDERS}


async def test_a_lock_that_is_held_for_longer_than_a_statement_may_take(
    stage: Stage, postgres_server: TestServer
) -> None:
    hasty = stage.open_database(Database, timeout_s=0.3)
    stage.shop.before = says("SELECT pg_advisory_xact_lock(1)")
    async with superuser(stage, postgres_server) as other:
        await other.execute("SELECT pg_advisory_lock(1)")
        await stage.send(*(stage.action(number) for number in ORDERS))
        async with stage.consuming(database=hasty) as consumer:
            await eventually(lambda: len(stage.shop.batches) >= 3, what="several attempts")
            assert not consumer.healthy
            await other.execute("SELECT pg_advisory_unlock(1)")
            await stage.all_read()
            await eventually(lambda: consumer.healthy, what="healthy again")
    await hasty.close()
    await all_handled_once(stage)
