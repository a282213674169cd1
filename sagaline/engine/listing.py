"""Sagas to choose from: pages of them, by the key they belong to, the newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from sagaline.chassis.database import Transaction
from sagaline.engine.state import SagaState
from sagaline.engine.store import Store

# Along the primary key, from its end: where keys begin with their time, as orders' do, that is the
# newest first, and an insert moves nothing that a cursor points at.
PAGE = """
    SELECT key, saga_id, definition, status, started_at, updated_at FROM saga
    WHERE ($1::text IS NULL OR status = $1)
        AND ($2::text IS NULL OR definition = $2)
        AND ($3::bool IS NULL OR stalled = $3)
        AND ($4::text IS NULL OR (key, saga_id) < ($4, $5::uuid))
    ORDER BY key DESC, saga_id DESC
    LIMIT $6
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which sagas: those in this state, of this definition; None: whichever.

    `stalled`: whether one of its steps is stalled or parked, so that only a person gets it going.
    `before` is the key and id of the last saga of the page before.
    """

    state: str | None = None
    definition: str | None = None
    stalled: bool | None = None
    before: tuple[str, UUID] | None = None


@dataclass(frozen=True, slots=True)
class SagaLine:
    """One saga in a line; `stalled` and `parked` name the steps that wait for a person.

    Of one whose definition is not deployed here, only what its row says is known.
    """

    saga_id: UUID
    key: str
    definition: str
    state: str
    code: str | None
    failed_step: str | None
    stalled: tuple[str, ...]
    parked: tuple[str, ...]
    started_at: datetime
    updated_at: datetime


async def page(tx: Transaction, store: Store, wanted: Wanted, *, limit: int) -> list[SagaLine]:
    """At most `limit` sagas that are wanted, the highest key first."""
    key, saga_id = wanted.before or (None, None)
    rows = await tx.fetch(
        PAGE, wanted.state, wanted.definition, wanted.stalled, key, saga_id, limit
    )
    found = await store.load(tx, sorted({row["key"] for row in rows}))
    return [
        _line(held.state) if (held := found.sagas.get(row["saga_id"])) else _unknown_line(row)
        for row in rows
    ]


def _unknown_line(row: asyncpg.Record) -> SagaLine:
    return SagaLine(
        saga_id=row["saga_id"],
        key=row["key"],
        definition=row["definition"],
        state=row["status"],
        code=None,
        failed_step=None,
        stalled=(),
        parked=(),
        started_at=row["started_at"],
        updated_at=row["updated_at"],
    )


def _line(saga: SagaState) -> SagaLine:
    assert saga.started_at is not None, saga
    assert saga.updated_at is not None, saga
    steps, refusal = saga.steps.values(), saga.refusal
    return SagaLine(
        saga_id=saga.saga_id,
        key=saga.key,
        definition=saga.definition.name,
        state=saga.status.value,
        code=refusal.code if refusal else None,
        failed_step=refusal.step if refusal else None,
        stalled=tuple(step.name for step in steps if step.stalled),
        parked=tuple(step.name for step in steps if step.parked),
        started_at=saga.started_at,
        updated_at=saga.updated_at,
    )
