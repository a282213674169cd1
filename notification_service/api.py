"""The notification service's HTTP side: what customers were told, and the books."""

from datetime import datetime
from typing import Annotated, Final, Self, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, JsonValue

from notification_service import domain, repository
from sagaline.chassis.database import Database
from sagaline.chassis.openapi import answers
from sagaline.chassis.web import database

OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

A_NOTIFICATION: Final[dict[str, JsonValue]] = {
    "notification_id": "3374f5b9-01b7-582f-8216-98c6b810b0ef",
    "order_id": "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04",
    "kind": "confirmation",
    "customer_id": "c-1001",
    "subject": "Your order is confirmed",
    "body": "We have confirmed your order 0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04. You pay 49.90 EUR.",
    "refusal": None,
    "sent_at": "2026-11-22T12:00:00.101000Z",
}
SOME_BOOKS: Final[dict[str, JsonValue]] = {
    "balanced": True,
    "problems": [],
    "confirmations": 3,
    "rejections": 1,
    "refused": 0,
}

router = APIRouter(tags=["notification"])


class NotificationDocument(BaseModel):
    """One message to one customer; with a refusal it could not be carried, and why."""

    notification_id: UUID
    order_id: UUID
    kind: domain.Kind
    customer_id: str
    subject: str
    body: str
    refusal: str | None
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
            refusal=sent.refusal,
            sent_at=sent.sent_at,
        )


@router.get("/notifications", responses=answers([A_NOTIFICATION]))
async def list_notifications(
    db: OpenDatabase,
    order_id: Annotated[UUID | None, Query(description="Only those of this order.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many at most.")] = 100,
) -> list[NotificationDocument]:
    """What was sent, newest first."""
    async with db.transaction() as tx:
        sent = await repository.latest(tx, order_id=order_id, limit=limit)
    return [NotificationDocument.of(one) for one in sent]


@router.get("/books", responses=answers(SOME_BOOKS))
async def get_books(db: OpenDatabase) -> domain.Books:
    """Whether everything that the notification service keeps adds up, and to what."""
    async with db.transaction() as tx:
        return await repository.read_books(tx)
