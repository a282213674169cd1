"""The notification service's SQL, a set of rows at a time.

What each batch of commands runs is plain SQL; what people ask for is Core.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlmodel import col

from notification_service import domain
from notification_service.models import Notification
from sagaline.chassis.database import Transaction

ADD = """
    INSERT INTO notification
        (notification_id, order_id, kind, customer_id, subject, body, refusal, sent_at)
    SELECT given.*, now()
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS given
"""


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
    await tx.run(
        ADD,
        [one.notification_id for one in sent],
        [one.order_id for one in sent],
        [one.kind for one in sent],
        [one.customer_id for one in sent],
        [one.subject for one in sent],
        [one.body for one in sent],
        [delivery.refusal for delivery in deliveries],
    )


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
