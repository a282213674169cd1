"""The barrier's rows in the database: claimed before the effects, settled with them.

A claim and its reading are one statement: INSERT .. ON CONFLICT DO UPDATE returns the newest row,
also of a transaction that it had to wait for; a row read beside it by the same snapshot would not
be seen. Effects run only in later statements.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import text

from sagaline.chassis.barrier import BarrierRow, RowKey
from sagaline.chassis.database import Transaction

# The no-op update is what locks a row that stands already; `generation` of a fresh one is a
# placeholder until it is settled.
CLAIM = text("""
    INSERT INTO sagaline.barrier (saga_id, step, direction, generation)
    SELECT saga_id, step, direction, 0
    FROM unnest(CAST(:sagas AS uuid[]), CAST(:steps AS text[]), CAST(:directions AS text[]))
        AS given(saga_id, step, direction)
    ORDER BY saga_id, step, direction
    ON CONFLICT (saga_id, step, direction) DO UPDATE SET generation = barrier.generation
    RETURNING saga_id, step, direction, generation, outcome, answer, reply
""")

SETTLE = text("""
    UPDATE sagaline.barrier AS held
    SET generation = given.generation, outcome = given.outcome,
        answer = given.answer, reply = given.reply
    FROM unnest(CAST(:sagas AS uuid[]), CAST(:steps AS text[]), CAST(:directions AS text[]),
                CAST(:generations AS int[]), CAST(:outcomes AS text[]), CAST(:answers AS text[]),
                CAST(:replies AS bytea[]))
        AS given(saga_id, step, direction, generation, outcome, answer, reply)
    WHERE held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction
""")

DELETE = text("""
    DELETE FROM sagaline.barrier AS held
    USING unnest(CAST(:sagas AS uuid[]), CAST(:steps AS text[]), CAST(:directions AS text[]))
        AS given(saga_id, step, direction)
    WHERE held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction AND held.outcome IS NULL
""")


def _keys(keys: Iterable[RowKey]) -> dict[str, object]:
    given = list(keys)
    return {
        "sagas": [saga for saga, _, _ in given],
        "steps": [step for _, step, _ in given],
        "directions": [direction for _, _, direction in given],
    }


async def claim(tx: Transaction, keys: Iterable[RowKey]) -> dict[RowKey, BarrierRow]:
    """Every row is locked until `tx` ends, and is new where it wasn't there."""
    rows = await tx.execute(CLAIM, _keys(sorted(set(keys))))
    return {
        (row.saga_id, row.step, row.direction): BarrierRow(
            row.generation, row.outcome, row.answer, row.reply
        )
        for row in rows
    }


async def settle(tx: Transaction, rows: Mapping[RowKey, BarrierRow]) -> None:
    """Write claimed rows with their outcome and reply."""
    settled = rows.values()
    assert all(not row.fresh for row in settled), rows
    result = await tx.execute(
        SETTLE,
        _keys(rows)
        | {
            "generations": [row.generation for row in settled],
            "outcomes": [row.outcome for row in settled],
            "answers": [row.answer for row in settled],
            "replies": [row.reply for row in settled],
        },
    )
    assert result.rowcount == len(rows), (result.rowcount, len(rows))


async def unclaim(tx: Transaction, keys: Iterable[RowKey]) -> None:
    """Delete rows that were claimed a moment ago and stand for nothing that happened."""
    await tx.execute(DELETE, _keys(keys))
