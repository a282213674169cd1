"""Sagas' rows in the database, a batch at a time; their keys are locked by the transaction."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from sagaline.chassis.database import Transaction
from sagaline.engine.held import Held
from sagaline.engine.state import SagaState

STATES = """
    SELECT saga.key, saga.saga_id, saga.definition, saga.definition_version,
        CAST(saga.state AS text) AS state, saga.state_version, saga.traceparent
    FROM unnest($1::text[], $2::uuid[]) AS given(key, saga_id)
    JOIN saga ON saga.key = given.key AND saga.saga_id = given.saga_id
"""

INSERT = """
    INSERT INTO saga (key, saga_id, definition, definition_version, status, version, sequence,
        stalled, timer_at, traceparent, started_at, updated_at)
    SELECT key, saga_id, definition, definition_version, status, version, sequence,
        stalled, timer_at, traceparent, started_at, updated_at
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::bigint[],
            $7::bigint[], $8::bool[], $9::timestamptz[], $10::text[], $11::timestamptz[],
            $12::timestamptz[])
        AS given(key, saga_id, definition, definition_version, status, version, sequence,
            stalled, timer_at, traceparent, started_at, updated_at)
    ORDER BY key, saga_id
"""

UPDATE = """
    UPDATE saga SET status = given.status, version = given.version, sequence = given.sequence,
        stalled = given.stalled, timer_at = given.timer_at, fences = CAST(given.fences AS json),
        updated_at = given.updated_at
    FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
            $7::bool[], $8::timestamptz[], $9::text[], $10::timestamptz[])
        AS given(key, saga_id, loaded, status, version, sequence, stalled, timer_at, fences,
            updated_at)
    WHERE saga.key = given.key AND saga.saga_id = given.saga_id AND saga.version = given.loaded
"""

KEEP = """
    UPDATE saga SET state = CAST(given.state AS json), state_version = saga.version
    FROM unnest($1::text[], $2::uuid[], $3::text[]) AS given(key, saga_id, state)
    WHERE saga.key = given.key AND saga.saga_id = given.saga_id
"""


async def states(
    tx: Transaction, keys: Sequence[str], saga_ids: Sequence[UUID]
) -> list[asyncpg.Record]:
    """The states in the rows of these sagas, with the definitions that they run by."""
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
        [held.sequence for held in sagas],
        [_stalled(state) for state in states],
        [held.timer and held.timer.due_at for held in sagas],
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
        [held.sequence for held in sagas],
        [_stalled(state) for state in states],
        [held.timer and held.timer.due_at for held in sagas],
        [held.timer.fences if held.timer else "{}" for held in sagas],
        [state.updated_at for state in states],
    )
    assert updated == len(sagas), (updated, len(sagas))


async def keep_states(tx: Transaction, texts: Sequence[tuple[SagaState, str]]) -> None:
    """The rows of these sagas, as they were just written, have their states, too."""
    keys = [state.key for state, _ in texts]
    saga_ids = [state.saga_id for state, _ in texts]
    await tx.run(KEEP, keys, saga_ids, [text for _, text in texts])


def _stalled(state: SagaState) -> bool:
    return any(step.stalled or step.parked for step in state.steps.values())
