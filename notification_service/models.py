"""The notification service's table: what was sent, once for each order and kind."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class NotificationTable(SQLModel, registry=registry()):
    """Base of this service's tables; own metadata keeps them out of other services' migrations."""


class Notification(NotificationTable, table=True):
    """One message to one customer; never changed. `refusal`: why it was not carried, if so."""

    __table_args__ = (
        UniqueConstraint("order_id", "kind", name="once_per_order"),
        CheckConstraint("kind IN ('confirmation', 'rejection')", name="known_kind"),
        Index("notification_by_time", "sent_at", "notification_id"),
    )
    notification_id: UUID = Field(primary_key=True)
    order_id: UUID
    kind: str = Field(max_length=12)
    customer_id: str
    subject: str
    body: str
    refusal: str | None = None
    sent_at: datetime = Field(sa_type=DateTime(timezone=True))
