"""Sagas' rows in the database, a batch at a time; their keys are locked by the transaction."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from sagaline.chassis.database import Transaction
from sagaline.engine.held import Held

STATES = """
    SELECT saga.saga_id, saga.definition, saga.definition_version,
        CAST(saga.state AS text) AS state, saga.traceparent
    FROM unnest($1::text[], $2::uuid[]) AS given(key, saga_id)
    JOIN saga ON saga.key = given.key AND saga.saga_id = given.saga_id
"""

INSERT = """
    INSERT INTO saga (key, saga_id, definition, definition_version, status, version, state,
        traceparent, started_at, updated_at)
    SELECT key, saga_id, definition, definition_version, status, version, CAST(state AS jsonb),
        traceparent, started_at, updated_at
    FROM unnest($1::text[], $2::uuid[], $3::text[],
            $4::int[], $5::text[],
            $6::bigint[], $7::text[], $8::text[],
            $9::timestamptz[], $10::timestamptz[])
        AS given(key, saga_id, definition, definition_version, status, version, state,
            traceparent, started_at, updated_at)
    ORDER BY key, saga_id
"""

UPDATE = """
    UPDATE saga SET status = given.status, version = given.version,
        state = CAST(given.state AS jsonb), updated_at = given.updated_at
    FROM unnest($1::text[], $2::uuid[], $3::bigint[],
            $4::text[], $5::bigint[], $6::text[],
            $7::timestamptz[])
        AS given(key, saga_id, loaded, status, version, state, updated_at)
    WHERE saga.key = given.key AND saga.saga_id = given.saga_id AND saga.version = given.loaded
"""


async def states(
    tx: Transaction, keys: Sequence[str], saga_ids: Sequence[UUID]
) -> list[asyncpg.Record]:
    """The states of these sagas, with the definitions that they run by."""
    return await tx.fetch(STATES, keys, saga_ids)


async def insert(tx: Transaction, sagas: Sequence[Held]) -> None:
    """These sagas have rows, and had none before."""
    states = [held.state for held in sagas]
    await tx.run(
        INSERT,
        [state.key for state in states],
        [state.saga_id for state in states],
        [state.definition.name for state in states],
        [state.definition.version for state in states],
        [state.status.value for state in states],
        [state.version for state in states],
        [_text(held) for held in sagas],
        [held.traceparent for held in sagas],
        [state.started_at for state in states],
        [state.updated_at for state in states],
    )


async def update(tx: Transaction, sagas: Sequence[Held]) -> None:
    """These sagas' rows are as they are now; each stood at the version that was loaded."""
    states = [held.state for held in sagas]
    updated = await tx.run(
        UPDATE,
        [state.key for state in states],
        [state.saga_id for state in states],
        [held.loaded_version for held in sagas],
        [state.status.value for state in states],
        [state.version for state in states],
        [_text(held) for held in sagas],
        [state.updated_at for state in states],
    )
    assert updated == len(sagas), (updated, len(sagas))


def _text(held: Held) -> str:
    assert held.written is not None, held.state.saga_id
    return held.written.text
