"""Intents: calls to the outside whose result is not settled yet, a row each.

A row stands from before the first call until the transaction that settles its result. It keeps the
command, since whoever has to resolve it may have another one in hand: the undo.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sagaline.chassis.barrier import RowKey
from sagaline.chassis.database import Transaction


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that may have been made; `past_deadline_ms` is negative while it may be under way."""

    row: RowKey
    generation: int
    command: bytes
    past_deadline_ms: int


@dataclass(frozen=True, slots=True)
class Opening:
    """An intent to be written: nobody calls for it later than `timeout_ms` from then."""

    row: RowKey
    generation: int
    command: bytes
    timeout_ms: int


# clock_timestamp(), since a transaction may have waited for its locks.
FIND = """
    SELECT held.saga_id, held.step, held.direction, held.generation, held.command,
        (extract(epoch FROM clock_timestamp() - held.deadline_at) * 1000)::bigint AS past_ms
    FROM sagaline.intent AS held
    JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS given(saga_id, step, direction)
        ON held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction
    ORDER BY held.saga_id, held.step, held.direction
    FOR UPDATE OF held
"""

OPEN = """
    INSERT INTO sagaline.intent (saga_id, step, direction, generation, command, deadline_at)
    SELECT saga_id, step, direction, generation, command,
        clock_timestamp() + timeout_ms * interval '1 millisecond'
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::bytea[], $6::int[])
        AS given(saga_id, step, direction, generation, command, timeout_ms)
    ORDER BY saga_id, step, direction
"""

RENEW = """
    UPDATE sagaline.intent AS held
    SET deadline_at = clock_timestamp() + given.timeout_ms * interval '1 millisecond'
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[])
        AS given(saga_id, step, direction, timeout_ms)
    WHERE held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction
"""

CLOSE = """
    DELETE FROM sagaline.intent AS held
    USING unnest($1::uuid[], $2::text[], $3::text[]) AS given(saga_id, step, direction)
    WHERE held.saga_id = given.saga_id AND held.step = given.step
        AND held.direction = given.direction
    RETURNING held.saga_id, held.step, held.direction
"""


async def find(tx: Transaction, rows: Iterable[RowKey]) -> dict[RowKey, Intent]:
    """Those of the rows that are open, locked until `tx` ends."""
    found = await tx.fetch(FIND, *_columns(sorted(set(rows))))
    intents = (
        Intent(
            (row["saga_id"], row["step"], row["direction"]),
            row["generation"],
            row["command"],
            row["past_ms"],
        )
        for row in found
    )
    return {intent.row: intent for intent in intents}


async def write(tx: Transaction, openings: Sequence[Opening]) -> None:
    """Open these intents; none of them stands yet."""
    await tx.run(
        OPEN,
        *_columns([each.row for each in openings]),
        [each.generation for each in openings],
        [each.command for each in openings],
        [each.timeout_ms for each in openings],
    )


async def renew(tx: Transaction, timeouts_ms: Collection[tuple[RowKey, int]]) -> None:
    """Another call may be made for these, within so many milliseconds from now."""
    ordered = sorted(timeouts_ms)
    await tx.run(RENEW, *_columns([row for row, _ in ordered]), [ms for _, ms in ordered])


async def close(tx: Transaction, rows: Iterable[RowKey]) -> set[RowKey]:
    """None of the rows is open: those that were, until now."""
    closed = await tx.fetch(CLOSE, *_columns(sorted(set(rows))))
    return {(row["saga_id"], row["step"], row["direction"]) for row in closed}


def _columns(rows: Collection[RowKey]) -> tuple[list[UUID], list[str], list[str]]:
    return (
        [saga for saga, _, _ in rows],
        [step for _, step, _ in rows],
        [direction for _, _, direction in rows],
    )
