"""The operators' view of sagas: how each stands, and everything that it was ever told.

A service that runs the engine gives `router` to its operators.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from sagaline.chassis import paging
from sagaline.chassis.database import Database
from sagaline.chassis.openapi import answers
from sagaline.chassis.web import database, part
from sagaline.engine import examples
from sagaline.engine.assembly import SagaEngine, SagaNotFound
from sagaline.engine.definitions import UnknownDefinition
from sagaline.engine.history import events_to_json, input_to_json
from sagaline.engine.history_rows import HistoryRow
from sagaline.engine.listing import SagaLine, Wanted
from sagaline.engine.view import SagaView

router = APIRouter(prefix="/sagas", tags=["sagas"])

Engine = Annotated[SagaEngine, Depends(part(SagaEngine))]
Db = Annotated[Database, Depends(database)]


State = Literal[
    "RUNNING", "COMMITTED", "COMPLETED", "COMPENSATING", "COMPENSATED", "NEEDS_ATTENTION"
]


class SagaPage(BaseModel):
    """Some sagas, the newest first; `next` is the cursor of those that follow."""

    sagas: list[SagaLine]
    next: str | None


class HistoryEntry(BaseModel):
    """One accepted input, the clock it was decided by, and the events that it caused.

    What has its usual value is left out: the first attempt of the first generation of an action.
    The coordinates are null where a timer fired. `version` counts the saga's events so far.
    """

    version: int
    at: datetime
    received: Mapping[str, object]
    events: list[Mapping[str, object]]
    message_id: UUID | None
    topic: str | None
    partition: int | None
    offset: int | None


class SagaHistory(BaseModel):
    """All that a saga accepted, oldest first."""

    saga_id: UUID
    entries: list[HistoryEntry]


@router.get("", responses=answers(examples.A_PAGE))
async def list_sagas(
    engine: Engine,
    db: Db,
    state: State | None = None,
    definition: Annotated[str | None, Query(max_length=255)] = None,
    stalled: Annotated[
        bool | None, Query(description="Whether a step waits for a person: stalled or parked.")
    ] = None,
    cursor: paging.Cursor = None,
    limit: paging.Limit = paging.PAGE_ROWS,
) -> SagaPage:
    """Sagas by how they stand, the newest first. Those that begin meanwhile shift no page."""
    wanted = Wanted(
        state=state,
        definition=definition,
        stalled=stalled,
        before=None if cursor is None else _saga_before(cursor),
    )
    lines = await engine.page(db, wanted, limit=limit)
    full = len(lines) == limit
    after = paging.cursor(lines[-1].key, str(lines[-1].saga_id)) if full else None
    return SagaPage(sagas=lines, next=after)


@router.get("/{saga_id}", responses=answers(examples.A_SAGA, SagaNotFound, UnknownDefinition))
async def get_saga(saga_id: UUID, engine: Engine, db: Db) -> SagaView:
    """How a saga stands, with every step and those still to come."""
    return await engine.find(db, saga_id)


@router.get(
    "/{saga_id}/history", responses=answers(examples.A_HISTORY, SagaNotFound, UnknownDefinition)
)
async def get_history(saga_id: UUID, engine: Engine, db: Db) -> SagaHistory:
    """Everything that a saga was told, and what came of it."""
    rows = await engine.history(db, saga_id)
    return SagaHistory(saga_id=saga_id, entries=[_entry(row) for row in rows])


def _saga_before(cursor: str) -> tuple[str, UUID]:
    key, saga_id = paging.parts_of(cursor, str, str)
    try:
        return str(key), UUID(str(saga_id))
    except ValueError as error:
        raise paging.UnknownCursor from error


def _entry(row: HistoryRow) -> HistoryEntry:
    return HistoryEntry(
        version=row.version,
        at=row.entry.now,
        received=input_to_json(row.entry.received),
        events=[event for event in events_to_json(row.entry.events) if isinstance(event, dict)],
        message_id=row.message_id,
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
    )
