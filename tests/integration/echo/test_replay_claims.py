"""One process at a time carries on one replay of a service; who lost it is fenced."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from sagaline.chassis import replay_rows
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.replay_rows import Replay
from tests.integration.echo.service import TOPIC


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(open_engine(database_url, pool_size=2, command_timeout_s=5))
    yield database
    await database.close()


def asked() -> Replay:
    """A replay of two partitions."""
    return Replay(
        id=uuid4(),
        topic=TOPIC,
        first_offsets=[0, 10],
        next_offsets=[0, 10],
        until_offsets=[5, 20],
        keys=[],
        types=[],
        per_s=1,
        reason="a test",
    )


async def inserted(database: Database, count: int) -> list[UUID]:
    """So many replays run, the oldest first; nobody carries them on."""
    replays = [asked() for _ in range(count)]
    for replay in replays:
        async with database.transaction() as tx:
            await replay_rows.insert(tx, replay)
    return [replay.id for replay in replays]


async def silence(database: Database) -> None:
    """Whoever carries a replay on has not been heard of for long."""
    async with database.transaction() as tx:
        await tx.run("UPDATE sagaline.replays SET touched_at = now() - interval '1 hour'")


async def claimed(database: Database, runner: str) -> Replay | None:
    async with database.transaction() as tx:
        return await replay_rows.claim(tx, runner)


async def test_one_process_at_a_time_carries_a_replay_on_and_another_takes_over(
    database: Database,
) -> None:
    (replay_id,) = await inserted(database, 1)
    first = await claimed(database, "echo-0")
    assert first is not None
    assert await claimed(database, "echo-1") is None
    await silence(database)
    second = await claimed(database, "echo-1")
    assert second is not None
    async with database.transaction() as tx:  # the first one wakes up, and is fenced
        assert not await replay_rows.advance(tx, first.moved([5, 20]), sent=1, passed=0, skipped=0)
        assert not await replay_rows.touch(tx, first, problem=None)
        await replay_rows.finish(tx, first)
        assert await replay_rows.advance(tx, second.moved([1, 10]), sent=1, passed=0, skipped=0)
        found = await replay_rows.find(tx, replay_id)
    assert found is not None
    assert (found.state, list(found.next_offsets), found.sent) == ("running", [1, 10], 1)
    assert Counter(len(span) for span in found.left.values()) == Counter([4, 10])


async def test_while_one_replay_is_carried_on_no_other_one_is(database: Database) -> None:
    oldest, _ = await inserted(database, 2)
    runners = [f"echo-{number}" for number in range(2)]
    claims = await asyncio.gather(*(claimed(database, runner) for runner in runners))
    (taken,) = [claim for claim in claims if claim is not None]
    assert taken.id == oldest
    for runner in runners:
        again = await claimed(database, runner)
        assert (again is None) == (runner != taken.runner)


async def test_a_replay_that_is_resumed_waits_for_the_one_under_way(database: Database) -> None:
    oldest, newer = await inserted(database, 2)
    first = await claimed(database, "echo-0")
    assert first is not None
    async with database.transaction() as tx:
        assert await replay_rows.stop(tx, oldest)
    second = await claimed(database, "echo-1")
    assert second is not None
    assert second.id == newer
    async with database.transaction() as tx:
        assert await replay_rows.resume(tx, oldest)
        # Who had it did not look in between, and must not go on now.
        assert not await replay_rows.touch(tx, first, problem=None)
    assert await claimed(database, "echo-0") is None
    await silence(database)
    third = await claimed(database, "echo-0")
    assert third is not None
    assert third.id == oldest
    async with database.transaction() as tx:
        assert not await replay_rows.touch(tx, second, problem=None)
