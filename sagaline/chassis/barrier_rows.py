"""The barrier's rows in the database: claimed before the effects and settled with them, or proven.

A claim and its reading are one statement: INSERT .. ON CONFLICT DO UPDATE returns the newest row,
also of a transaction that it had to wait for; a row read beside it by the same snapshot would not
be seen. Effects run only in later statements.

Where a row is not there, and nobody else is expected to write it, it is not claimed: it is inserted
once, as it will stand, with the outbox (PROVE). Two who do that at once meet in the primary key,
and the effects of the second are rolled back.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from asyncpg import Record

from sagaline.chassis.barrier import BarrierRow, RowKey
from sagaline.chassis.database import Transaction

# The no-op update is what locks a row that stands already; `generation` of a fresh one is a
# placeholder until it is settled.
CLAIM = """
    INSERT INTO sagaline.barrier (saga_id, step, direction, generation)
    SELECT saga_id, step, direction, 0
    FROM unnest($1::uuid[], $2::text[], $3::text[])
        AS given(saga_id, step, direction)
    ORDER BY saga_id, step, direction
    ON CONFLICT (saga_id, step, direction) DO UPDATE SET generation = barrier.generation
    RETURNING saga_id, step, direction, generation, outcome, answer, reply
"""

READ = """
    SELECT held.saga_id, held.step, held.direction, generation, outcome, answer, reply
    FROM sagaline.barrier AS held
    JOIN unnest($1::uuid[], $2::text[], $3::text[])
        AS given(saga_id, step, direction)
        ON held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction
"""

# A part of the outbox's statement, whose parameters come first.
PROVE = """
    INSERT INTO sagaline.barrier
        (saga_id, step, direction, generation, outcome, answer, reply)
    SELECT saga_id, step, direction, generation, outcome, answer, reply
    FROM unnest($8::uuid[], $9::text[], $10::text[],
                $11::int[], $12::text[], $13::text[],
                $14::bytea[])
        AS given(saga_id, step, direction, generation, outcome, answer, reply)
    ORDER BY saga_id, step, direction
"""

SETTLE = """
    UPDATE sagaline.barrier AS held
    SET generation = given.generation, outcome = given.outcome,
        answer = given.answer, reply = given.reply
    FROM unnest($1::uuid[], $2::text[], $3::text[],
                $4::int[], $5::text[], $6::text[],
                $7::bytea[])
        AS given(saga_id, step, direction, generation, outcome, answer, reply)
    WHERE held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction
"""

DELETE = """
    DELETE FROM sagaline.barrier AS held
    USING unnest($1::uuid[], $2::text[], $3::text[])
        AS given(saga_id, step, direction)
    WHERE held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction AND held.outcome IS NULL
"""


def _columns(keys: Iterable[RowKey]) -> tuple[list[UUID], list[str], list[str]]:
    given = list(keys)
    return (
        [saga for saga, _, _ in given],
        [step for _, step, _ in given],
        [direction for _, _, direction in given],
    )


async def claim(tx: Transaction, keys: Iterable[RowKey]) -> dict[RowKey, BarrierRow]:
    """Every row is locked until `tx` ends, and is new where it wasn't there."""
    wanted = sorted(set(keys))
    return _found(await tx.fetch(CLAIM, *_columns(wanted))) if wanted else {}


async def read(tx: Transaction, keys: Iterable[RowKey]) -> dict[RowKey, BarrierRow]:
    """The rows as they stand, a fresh one for each that doesn't; nothing of them is locked.

    For whoever holds the position of the keys' partition, and acts only after a later claim or with
    a later proof.
    """
    wanted = set(keys)
    if not wanted:
        return {}
    found = _found(await tx.fetch(READ, *_columns(wanted)))
    return dict.fromkeys(wanted, BarrierRow(0)) | found


def _found(rows: Iterable[Record]) -> dict[RowKey, BarrierRow]:
    return {
        (row["saga_id"], row["step"], row["direction"]): BarrierRow(
            row["generation"], row["outcome"], row["answer"], row["reply"]
        )
        for row in rows
    }


async def settle(tx: Transaction, rows: Mapping[RowKey, BarrierRow]) -> None:
    """Write claimed rows with their outcome and reply."""
    if not rows:
        return
    written = await tx.run(SETTLE, *columns(rows))
    assert written == len(rows), (written, len(rows))


async def unclaim(tx: Transaction, keys: Iterable[RowKey]) -> None:
    """Delete rows that were claimed a moment ago and stand for nothing that happened."""
    if wanted := list(keys):
        await tx.run(DELETE, *_columns(wanted))


def columns(rows: Mapping[RowKey, BarrierRow]) -> tuple[Sequence[object], ...]:
    """The rows with their outcome and reply, as SETTLE and PROVE take them."""
    settled = rows.values()
    assert all(not row.fresh for row in settled), rows
    return (
        *_columns(rows),
        [row.generation for row in settled],
        [row.outcome for row in settled],
        [row.answer for row in settled],
        [row.reply for row in settled],
    )
