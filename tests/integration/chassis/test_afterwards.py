"""What waits for a transaction's commit is done after it, and after nothing else."""

import asyncpg
import pytest
from sqlalchemy import text

from sagaline.chassis.faults import passing
from tests.integration.chassis.stage import Stage

HELD = text("INSERT INTO effect (what) VALUES ('held')")


class Regretted(Exception):
    """The block thinks better of it."""


async def test_what_waits_for_the_commit_is_done_in_order_once_all_is_there(shared: Stage) -> None:
    done: list[str] = []
    async with shared.database.transaction() as tx:
        tx.afterwards(lambda: done.append("first"))
        tx.afterwards(lambda: done.append("second"))
        await tx.run("SELECT 1")
        assert done == []
    assert done == ["first", "second"]


async def test_nothing_is_done_after_what_was_rolled_back(shared: Stage) -> None:
    done: list[str] = []

    async def regret() -> None:
        async with shared.database.transaction() as tx:
            tx.afterwards(lambda: done.append("never"))
            raise Regretted

    with pytest.raises(Regretted):
        await regret()
    assert done == []


async def test_nothing_is_done_after_a_commit_whose_fate_nobody_knows(stage: Stage) -> None:
    done: list[str] = []

    async def commit_on_a_lost_connection() -> None:
        async with stage.database.transaction() as tx:
            await tx.execute(HELD)
            tx.afterwards(lambda: done.append("never"))
            await stage.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as lost:
        await commit_on_a_lost_connection()
    assert passing(lost.value)
    assert done == []
