"""Timers in the database, in the rows of their sagas, with the fences of their commands."""

from collections.abc import Sequence
from uuid import UUID

from sagaline.chassis.database import Transaction
from sagaline.engine.held import Timer
from sagaline.engine.state import SagaState

NEXT = """
    SELECT key, timer_at <= clock_timestamp() AS due FROM saga
    WHERE timer_at <= clock_timestamp() + make_interval(secs => $2) ORDER BY timer_at LIMIT $1
"""

SET = """
    UPDATE saga SET timer_at = given.timer_at, fences = CAST(given.fences AS json)
    FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[])
        AS given(key, saga_id, timer_at, fences)
    WHERE saga.key = given.key AND saga.saga_id = given.saga_id
"""

# Of due ones: what is not due yet fires as late as it would.
POSTPONE = """
    UPDATE saga SET timer_at = clock_timestamp() + make_interval(secs => $3)
    FROM unnest($1::text[], $2::uuid[]) AS given(key, saga_id)
    WHERE saga.key = given.key AND saga.saga_id = given.saga_id
        AND saga.timer_at <= clock_timestamp()
    RETURNING saga.saga_id
"""


async def due_keys(tx: Transaction, *, limit: int, ahead_s: float) -> tuple[list[str], bool]:
    """Keys of the sagas whose timers are due, the longest due first; nothing is locked.

    And whether any are due, or will be within `ahead_s`.
    """
    rows = await tx.fetch(NEXT, limit, ahead_s)
    return list(dict.fromkeys(row["key"] for row in rows if row["due"])), bool(rows)


async def set_timers(tx: Transaction, timers: Sequence[tuple[SagaState, Timer | None]]) -> None:
    """Each of these sagas has this timer, or none; their keys are locked by `tx`."""
    if timers:
        await tx.run(
            SET,
            [state.key for state, _ in timers],
            [state.saga_id for state, _ in timers],
            [timer and timer.due_at for _, timer in timers],
            [timer.fences if timer else "{}" for _, timer in timers],
        )


async def postpone(
    tx: Transaction, keys: Sequence[str], saga_ids: Sequence[UUID], *, by_s: float
) -> list[UUID]:
    """Those of these sagas' timers that are due are so later; which. Keys are locked by `tx`."""
    return [row["saga_id"] for row in await tx.fetch(POSTPONE, keys, saga_ids, by_s)]
