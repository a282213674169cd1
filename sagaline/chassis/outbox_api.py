"""Operators' routes for the outbox, of every service: what waits, and what can't be sent."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from sagaline.chassis import examples, outbox_rows, paging
from sagaline.chassis.database import Database
from sagaline.chassis.openapi import answers
from sagaline.chassis.operating import Asking, Giving, Text
from sagaline.chassis.outbox_rows import (
    NotQuarantined,
    OutboxRow,
    OutboxRowNotFound,
    State,
    TellsOfAnEffect,
)
from sagaline.chassis.paging import Cursor, Limit
from sagaline.chassis.running import Running
from sagaline.chassis.shown import Payload, payload
from sagaline.chassis.web import database, running

router = APIRouter(prefix="/outbox", tags=["outbox"])

Db = Annotated[Database, Depends(database)]
Id = Annotated[int, Path(ge=1, le=paging.ID_MAX)]


class OutboxLine(BaseModel):
    """A message that waits to be sent; one with `quarantined_at` waits for a person."""

    id: int
    topic: str
    key: str
    type: str
    message_id: UUID
    created_at: datetime
    quarantined_at: datetime | None
    error: str | None


class OutboxPage(BaseModel):
    """Some messages in the order of sending; `next` is the cursor of those that follow."""

    rows: list[OutboxLine]
    next: str | None


class OutboxShown(OutboxLine):
    """All that is known of a message that waits."""

    headers: dict[str, str]
    payload: Payload


class Released(BaseModel):
    """These go out again, in this order."""

    ids: list[int]


class GivenUp(BaseModel):
    """The message is gone. So many of its key stay quarantined: redrive one of them."""

    id: int
    left: int


@router.get("", responses=answers(examples.OUTBOX))
async def list_outbox(
    db: Db,
    state: State | None = None,
    topic: Annotated[Text | None, Query()] = None,
    key: Annotated[Text | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = paging.PAGE_ROWS,
) -> OutboxPage:
    """What this service has yet to send, in the order of sending."""
    async with db.reading() as tx:
        found = await outbox_rows.page(
            tx,
            state=state,
            topic=topic,
            key=key,
            after=paging.id_after(cursor),
            limit=limit,
        )
    after = paging.cursor(found[-1].id) if len(found) == limit else None
    return OutboxPage(rows=[OutboxLine.model_validate(_facts(row)) for row in found], next=after)


@router.get("/{id}", responses=answers(examples.AN_OUTBOX_ROW, OutboxRowNotFound))
async def get_outbox_row(
    id: Id,  # noqa: A002 - the path's name for it
    db: Db,
    service: Annotated[Running, Depends(running)],
) -> OutboxShown:
    """A message that waits, with its headers and its payload."""
    async with db.reading() as tx:
        row = await outbox_rows.find(tx, id)
    more = {"headers": dict(row.headers), "payload": payload(service.codec, row.payload)}
    return OutboxShown.model_validate(_facts(row) | more)


@router.post("/{id}/redrive", responses=answers({"ids": [7]}, OutboxRowNotFound, NotQuarantined))
async def redrive(
    id: Id,  # noqa: A002 - as above
    asking: Asking,
    db: Db,
) -> Released:
    """Send a quarantined message, and all of its key that are quarantined with it, in order."""
    async with db.transaction() as tx:
        released = await outbox_rows.redrive(tx, id, asking.mandate)
    return Released(ids=[row.id for row in released])


@router.post(
    "/{id}/discard",
    responses=answers({"id": 7, "left": 0}, OutboxRowNotFound, NotQuarantined, TellsOfAnEffect),
)
async def discard(
    id: Id,  # noqa: A002 - as above
    giving: Giving,
    db: Db,
) -> GivenUp:
    """Never send a quarantined message; 409 if it tells a saga of something that has happened."""
    async with db.transaction() as tx:
        left = await outbox_rows.discard(tx, id, giving.mandate)
    return GivenUp(id=id, left=left)


def _facts(row: OutboxRow) -> dict[str, object]:
    return {
        "id": row.id,
        "topic": row.topic,
        "key": row.key,
        "type": row.type,
        "message_id": row.message_id,
        "created_at": row.created_at,
        "quarantined_at": row.quarantined_at,
        "error": row.error,
    }
