"""The order service's tables: orders and their lines."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class OrderTable(SQLModel, registry=registry()):
    """Base of this service's tables; own metadata keeps them out of other services' migrations."""


class Order(OrderTable, table=True):
    """An order: PENDING until its saga confirms or rejects it. Its cost is that of the pivot."""

    __tablename__ = "orders"  # `order` is a word of SQL
    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'CONFIRMED', 'REJECTED')", name="known_status"),
        CheckConstraint("(status = 'PENDING') = (ended_at IS NULL)", name="ended_when_settled"),
        CheckConstraint(
            "(status = 'CONFIRMED') = (total_minor IS NOT NULL)", name="priced_when_confirmed"
        ),
        CheckConstraint("total_minor >= 0", name="total_not_negative"),
    )
    order_id: UUID = Field(primary_key=True)
    customer_id: str
    currency: str = Field(max_length=3)
    status: str = Field(max_length=9)
    total_minor: int | None = Field(sa_type=BigInteger)
    placed_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class OrderLine(OrderTable, table=True):
    """So many units of one SKU; never changed."""

    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="something_ordered"),)
    order_id: UUID = Field(primary_key=True, foreign_key="orders.order_id")
    sku: str = Field(primary_key=True, max_length=64)
    quantity: int
