"""The inventory's tables: shelves, what orders hold of them, and what was put on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class InventoryTable(SQLModel, registry=registry()):
    """Base of this service's tables; own metadata keeps them out of other services' migrations."""


class Shelf(InventoryTable, table=True):
    """One SKU: `on_hand` units lie there, `reserved` of them are promised to open orders."""

    __table_args__ = (
        CheckConstraint("reserved BETWEEN 0 AND on_hand", name="not_oversold"),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
    )
    sku: str = Field(primary_key=True, max_length=64)
    on_hand: int
    reserved: int
    price_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)


class Reservation(InventoryTable, table=True):
    """One line of an order, at the price of its moment: reserved, then committed or released."""

    __table_args__ = (
        CheckConstraint("quantity > 0", name="something_reserved"),
        CheckConstraint("state IN ('reserved', 'committed', 'released')", name="known_state"),
        CheckConstraint("(state = 'reserved') = (ended_at IS NULL)", name="ended_when_settled"),
    )
    order_id: UUID = Field(primary_key=True)
    sku: str = Field(primary_key=True, foreign_key="shelf.sku", max_length=64)
    quantity: int
    price_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    state: str = Field(max_length=9)
    reserved_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class Movement(InventoryTable, table=True):
    """Units put on a shelf from outside, or taken off (negative); what orders take is not here."""

    __table_args__ = (CheckConstraint("units <> 0", name="something_moved"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    sku: str = Field(foreign_key="shelf.sku", max_length=64)
    units: int
    moved_at: datetime = Field(sa_type=DateTime(timezone=True))
