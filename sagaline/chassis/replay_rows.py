"""Live replays as rows of their topic's owner: what is asked for, how far it is, who carries it on.

A row moves in the transaction that fills the outbox: what it counts as sent waits there or is out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

from sagaline.chassis.database import Transaction
from sagaline.chassis.log_records import Span

State: TypeAlias = Literal["running", "stopped", "done"]

SILENT_S = 30  # a runner that doesn't touch its row for so long is gone
COLUMNS = """
    id, topic, first_offsets, next_offsets, until_offsets, keys, types, per_s, who, reason, state,
    sent, passed, skipped, problem, runner, epoch, created_at, touched_at, ended_at
"""

INSERT = """
    INSERT INTO sagaline.replays (
        id, topic, first_offsets, next_offsets, until_offsets, keys, types, per_s, who, reason
    )
    VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (id) DO NOTHING
"""

SELECT = f"SELECT {COLUMNS} FROM sagaline.replays"  # noqa: S608 - all parts are written here
ONE = f"{SELECT} WHERE id = $1"
NEWEST = f"{SELECT} ORDER BY created_at DESC, id LIMIT $1"

# Claims follow one another. Rows' locks would not do: a replay that is resumed, or inserted by a
# slow transaction, may become the oldest between two claims.
LOCK = "LOCK TABLE sagaline.replays IN SHARE ROW EXCLUSIVE MODE"

SOMEBODY_ELSE = """
    SELECT FROM sagaline.replays WHERE state = 'running' AND runner <> $1
        AND touched_at >= clock_timestamp() - make_interval(secs => $2)
"""

# The oldest that runs. Whoever carried on another one, and was silent, is fenced from that.
CLAIM = f"""
    UPDATE sagaline.replays SET runner = CASE WHEN id = oldest.one THEN $1 END, epoch = epoch + 1,
        touched_at = clock_timestamp()
    FROM (
        SELECT id FROM sagaline.replays WHERE state = 'running' ORDER BY created_at, id LIMIT 1
    ) AS oldest(one)
    WHERE state = 'running' AND (id = oldest.one OR runner IS NOT NULL)
    RETURNING {COLUMNS}
"""  # noqa: S608 - all parts are written here

# Who was fenced, or whose replay was stopped, hits no row.
ADVANCE = """
    UPDATE sagaline.replays SET next_offsets = $3, sent = sent + $4, passed = passed + $5,
        skipped = skipped + $6, problem = NULL, touched_at = clock_timestamp()
    WHERE id = $1 AND epoch = $2 AND state = 'running'
"""
TOUCH = """
    UPDATE sagaline.replays SET problem = $3, touched_at = clock_timestamp()
    WHERE id = $1 AND epoch = $2 AND state = 'running'
"""
FINISH = """
    UPDATE sagaline.replays SET state = 'done', problem = NULL, touched_at = clock_timestamp(),
        ended_at = clock_timestamp()
    WHERE id = $1 AND epoch = $2 AND state = 'running'
"""
RELEASE = "UPDATE sagaline.replays SET runner = NULL WHERE id = $1 AND epoch = $2"

# A new epoch: whoever carried it on might not look before it is resumed, and then go on.
STOP = """
    UPDATE sagaline.replays SET state = 'stopped', runner = NULL, epoch = epoch + 1,
        ended_at = clock_timestamp()
    WHERE id = $1 AND state = 'running'
"""
RESUME = """
    UPDATE sagaline.replays SET state = 'running', runner = NULL, ended_at = NULL
    WHERE id = $1 AND state = 'stopped'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A live replay. Offsets are by partition, from 0 on; `until_offsets` are not replayed.

    `sent` went to the outbox; `passed` have another key or type than was asked for; `skipped` are
    none that the owner could have written. `problem` is what keeps it from going on, for people.
    """

    id: UUID
    topic: str
    first_offsets: Sequence[int]
    next_offsets: Sequence[int]
    until_offsets: Sequence[int]
    keys: Sequence[str]
    types: Sequence[str]
    per_s: int
    reason: str
    who: str | None = None
    state: State = "running"
    sent: int = 0
    passed: int = 0
    skipped: int = 0
    problem: str | None = None
    runner: str | None = None
    epoch: int = 0
    created_at: datetime | None = None
    touched_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def left(self) -> dict[int, Span]:
        """What is still to be read, by partition."""
        pairs = zip(self.next_offsets, self.until_offsets, strict=True)
        return {number: Span(first, until) for number, (first, until) in enumerate(pairs)}

    def moved(self, next_offsets: Sequence[int]) -> "Replay":
        """The replay, that far."""
        return replace(self, next_offsets=next_offsets)


async def insert(tx: Transaction, replay: Replay) -> None:
    """The replay runs; one with its id stays as it was."""
    await tx.run(
        INSERT,
        replay.id,
        replay.topic,
        replay.first_offsets,
        replay.until_offsets,
        replay.keys,
        replay.types,
        replay.per_s,
        replay.who,
        replay.reason,
    )


async def find(tx: Transaction, replay_id: UUID) -> Replay | None:
    """Give the replay, if there is one."""
    rows = await tx.fetch(ONE, replay_id)
    return _replay(rows[0]) if rows else None


async def newest(tx: Transaction, limit: int) -> list[Replay]:
    """Give the latest replays, newest first."""
    return [_replay(row) for row in await tx.fetch(NEWEST, limit)]


async def claim(tx: Transaction, runner: str) -> Replay | None:
    """The oldest replay is `runner`'s, under a new epoch; None: none runs, or it's others' turn.

    Nobody carries a replay on meanwhile but whoever has claimed the last one: until it is done or
    stopped, or its runner has been silent.
    """
    await tx.fetch(LOCK)
    if await tx.fetch(SOMEBODY_ELSE, runner, float(SILENT_S)):
        return None
    rows = await tx.fetch(CLAIM, runner)
    return next((_replay(row) for row in rows if row["runner"] is not None), None)


async def advance(tx: Transaction, replay: Replay, *, sent: int, passed: int, skipped: int) -> bool:
    """The row is as far as `replay`; false when it is no longer the caller's, or was stopped."""
    changed = await tx.run(
        ADVANCE, replay.id, replay.epoch, replay.next_offsets, sent, passed, skipped
    )
    return changed == 1


async def touch(tx: Transaction, replay: Replay, *, problem: str | None) -> bool:
    """The runner lives, and says what is wrong; false when the replay is no longer its own."""
    return await tx.run(TOUCH, replay.id, replay.epoch, problem) == 1


async def finish(tx: Transaction, replay: Replay) -> None:
    """The replay is done, unless it was taken or stopped meanwhile."""
    await tx.run(FINISH, replay.id, replay.epoch)


async def release(tx: Transaction, replay: Replay) -> None:
    """Whoever comes next may carry the replay on."""
    await tx.run(RELEASE, replay.id, replay.epoch)


async def stop(tx: Transaction, replay_id: UUID) -> bool:
    """The replay is stopped; false if it did not run."""
    return await tx.run(STOP, replay_id) == 1


async def resume(tx: Transaction, replay_id: UUID) -> bool:
    """The replay runs again, from where it stopped; false if it was not stopped."""
    return await tx.run(RESUME, replay_id) == 1


def _replay(row: "asyncpg.Record") -> Replay:
    return Replay(**dict(row))
