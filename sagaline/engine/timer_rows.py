"""Timers in the database: one row a saga, with the fences of its commands."""

import json
from collections.abc import Sequence

from sqlalchemy import text

from sagaline.chassis.database import Transaction
from sagaline.engine.held import Timer
from sagaline.engine.state import SagaState

DUE = text("""
    SELECT key, saga_id FROM timer WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT :limit
""")

SET = text("""
    INSERT INTO timer (key, saga_id, due_at, fences)
    SELECT key, saga_id, due_at, CAST(fences AS jsonb)
    FROM unnest(CAST(:keys AS text[]), CAST(:sagas AS uuid[]), CAST(:dues AS timestamptz[]),
            CAST(:fences AS text[]))
        AS given(key, saga_id, due_at, fences)
    ORDER BY key, saga_id
    ON CONFLICT (key, saga_id) DO UPDATE SET due_at = excluded.due_at, fences = excluded.fences
""")

DELETE = text("""
    DELETE FROM timer USING unnest(CAST(:keys AS text[]), CAST(:sagas AS uuid[]))
        AS given(key, saga_id)
    WHERE timer.key = given.key AND timer.saga_id = given.saga_id
""")


async def due_keys(tx: Transaction, *, limit: int) -> list[str]:
    """Keys of the sagas whose timers are due, the longest due first; nothing is locked."""
    return list(dict.fromkeys(row.key for row in await tx.execute(DUE, {"limit": limit})))


async def set_timers(tx: Transaction, timers: Sequence[tuple[SagaState, Timer | None]]) -> None:
    """Each of these sagas has this timer, or none; their keys are locked by `tx`."""
    armed = [(state, timer) for state, timer in timers if timer is not None]
    if armed:
        await tx.execute(
            SET,
            _ids([state for state, _ in armed])
            | {
                "dues": [timer.due_at for _, timer in armed],
                "fences": [json.dumps(dict(timer.fences)) for _, timer in armed],
            },
        )
    gone = [state for state, timer in timers if timer is None]
    if gone:
        await tx.execute(DELETE, _ids(gone))


def _ids(states: Sequence[SagaState]) -> dict[str, object]:
    return {
        "keys": [state.key for state in states],
        "sagas": [state.saga_id for state in states],
    }
