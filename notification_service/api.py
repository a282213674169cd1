"""The notification service's HTTP side: what customers were told, and the books."""

from datetime import datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from notification_service import domain, repository
from sagaline.chassis.database import Database
from sagaline.chassis.web import database

OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

router = APIRouter(tags=["notification"])


class NotificationDocument(BaseModel):
    """One message to one customer."""

    notification_id: UUID
    order_id: UUID
    kind: domain.Kind
    customer_id: str
    subject: str
    body: str
    sent_at: datetime

    @classmethod
    def of(cls, sent: repository.Sent) -> Self:
        """The notification as its reader sees it."""
        told = sent.notification
        return cls(
            notification_id=told.notification_id,
            order_id=told.order_id,
            kind=told.kind,
            customer_id=told.customer_id,
            subject=told.subject,
            body=told.body,
            sent_at=sent.sent_at,
        )


@router.get("/notifications")
async def list_notifications(
    db: OpenDatabase,
    order_id: Annotated[UUID | None, Query(description="Only those of this order.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[NotificationDocument]:
    """What was sent, newest first."""
    async with db.transaction() as tx:
        sent = await repository.latest(tx, order_id=order_id, limit=limit)
    return [NotificationDocument.of(one) for one in sent]


@router.get("/books")
async def get_books(db: OpenDatabase) -> domain.Books:
    """Whether everything that the notification service keeps adds up, and to what."""
    async with db.transaction() as tx:
        return await repository.read_books(tx)
