"""Timers in the database: one row a saga, with the fences of its commands."""

import json
from collections.abc import Sequence
from uuid import UUID

from sagaline.chassis.database import Transaction
from sagaline.engine.held import Timer
from sagaline.engine.state import SagaState

DUE = """
    SELECT key, saga_id FROM timer WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT $1
"""

SET = """
    INSERT INTO timer (key, saga_id, due_at, fences)
    SELECT key, saga_id, due_at, CAST(fences AS jsonb)
    FROM unnest($1::text[], $2::uuid[], $3::timestamptz[],
            $4::text[])
        AS given(key, saga_id, due_at, fences)
    ORDER BY key, saga_id
    ON CONFLICT (key, saga_id) DO UPDATE SET due_at = excluded.due_at, fences = excluded.fences
"""

# Of due ones: what is not due yet fires as late as it would.
POSTPONE = """
    UPDATE timer SET due_at = clock_timestamp() + make_interval(secs => $3)
    FROM unnest($1::text[], $2::uuid[]) AS given(key, saga_id)
    WHERE timer.key = given.key AND timer.saga_id = given.saga_id
        AND timer.due_at <= clock_timestamp()
    RETURNING timer.saga_id
"""

DELETE = """
    DELETE FROM timer USING unnest($1::text[], $2::uuid[])
        AS given(key, saga_id)
    WHERE timer.key = given.key AND timer.saga_id = given.saga_id
"""


async def due_keys(tx: Transaction, *, limit: int) -> list[str]:
    """Keys of the sagas whose timers are due, the longest due first; nothing is locked."""
    return list(dict.fromkeys(row["key"] for row in await tx.fetch(DUE, limit)))


async def set_timers(tx: Transaction, timers: Sequence[tuple[SagaState, Timer | None]]) -> None:
    """Each of these sagas has this timer, or none; their keys are locked by `tx`."""
    armed = [(state, timer) for state, timer in timers if timer is not None]
    if armed:
        await tx.run(
            SET,
            *_ids([state for state, _ in armed]),
            [timer.due_at for _, timer in armed],
            [json.dumps(dict(timer.fences)) for _, timer in armed],
        )
    gone = [state for state, timer in timers if timer is None]
    if gone:
        await tx.run(DELETE, *_ids(gone))


async def postpone(
    tx: Transaction, keys: Sequence[str], saga_ids: Sequence[UUID], *, by_s: float
) -> list[UUID]:
    """Those of these sagas' timers that are due are so later; which. Keys are locked by `tx`."""
    return [row["saga_id"] for row in await tx.fetch(POSTPONE, keys, saga_ids, by_s)]


def _ids(states: Sequence[SagaState]) -> tuple[list[str], list[UUID]]:
    return [state.key for state in states], [state.saga_id for state in states]
