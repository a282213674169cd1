"""The notification service's SQL, a set of rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, func, insert, select, text
from sqlmodel import col

from notification_service import domain
from notification_service.models import Notification
from sagaline.chassis.database import Transaction, unnest


@dataclass(frozen=True, slots=True)
class Sent:
    """A notification, when it was sent, and why it was refused, if it was."""

    notification: domain.Notification
    refusal: str | None
    sent_at: datetime


async def add_notifications(
    tx: Transaction, sent: Sequence[domain.Notification], deliveries: Sequence[domain.Delivery]
) -> None:
    """Keep these notifications as sent now, or as refused."""
    given = unnest(
        {
            "notification_id": (Uuid, [one.notification_id for one in sent]),
            "order_id": (Uuid, [one.order_id for one in sent]),
            "kind": (Text, [one.kind for one in sent]),
            "customer_id": (Text, [one.customer_id for one in sent]),
            "subject": (Text, [one.subject for one in sent]),
            "body": (Text, [one.body for one in sent]),
            "refusal": (Text, [delivery.refusal for delivery in deliveries]),
        }
    )
    columns = (*given.c.keys(), "sent_at")
    await tx.execute(insert(Notification).from_select(columns, select(*given.c, func.now())))


async def latest(tx: Transaction, *, order_id: UUID | None, limit: int) -> list[Sent]:
    """The newest `limit` notifications, newest first; those of one order where one is named."""
    query = select(Notification).order_by(
        col(Notification.sent_at).desc(), col(Notification.notification_id)
    )
    if order_id is not None:
        query = query.where(col(Notification.order_id) == order_id)
    return [_sent(row) for row in await tx.execute(query.limit(limit))]


def _sent(row: Row[Any]) -> Sent:
    notification = domain.Notification(
        row.notification_id, row.order_id, row.kind, row.customer_id, row.subject, row.body
    )
    return Sent(notification, row.refusal, row.sent_at)


_TOTALS = text(
    """
    SELECT count(*) FILTER (WHERE kind = 'confirmation') AS confirmations,
           count(*) FILTER (WHERE kind = 'rejection') AS rejections,
           count(refusal) AS refused
    FROM notification
    """
)
_CONTRADICTIONS = text(
    """
    SELECT order_id FROM notification
    GROUP BY order_id HAVING count(*) > 1 ORDER BY order_id LIMIT 20
    """
)


async def read_books(tx: Transaction) -> domain.Books:
    """Totals, and at most 20 orders told both; all of one moment, so called first in `tx`."""
    await tx.freeze()
    totals = (await tx.execute(_TOTALS)).one()
    contradictions = await tx.execute(_CONTRADICTIONS)
    problems = tuple(f"{row.order_id} was confirmed and rejected" for row in contradictions)
    return domain.Books(
        balanced=not problems,
        problems=problems,
        confirmations=totals.confirmations,
        rejections=totals.rejections,
        refused=totals.refused,
    )
