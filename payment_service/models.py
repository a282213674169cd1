"""The payment service's tables: accounts, a payment for each order, and the ledger of both."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class PaymentTable(SQLModel, registry=registry()):
    """Base of this service's tables; own metadata keeps them out of other services' migrations."""


class Account(PaymentTable, table=True):
    """What a customer may owe, and how much of it open orders hold and past ones took."""

    __table_args__ = (
        CheckConstraint("authorized_minor >= 0 AND captured_minor >= 0", name="nothing_negative"),
        CheckConstraint("authorized_minor + captured_minor <= limit_minor", name="within_limit"),
    )
    customer_id: str = Field(primary_key=True)
    limit_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    authorized_minor: int = Field(sa_type=BigInteger)
    captured_minor: int = Field(sa_type=BigInteger)


class Payment(PaymentTable, table=True):
    """An order's money: authorized, then captured or voided. A refused order has no row."""

    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("state IN ('authorized', 'captured', 'voided')", name="known_state"),
        CheckConstraint("(state = 'authorized') = (ended_at IS NULL)", name="ended_when_settled"),
    )
    order_id: UUID = Field(primary_key=True)
    customer_id: str = Field(foreign_key="account.customer_id")
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    state: str = Field(max_length=10)
    authorized_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(sa_type=DateTime(timezone=True))


class Entry(PaymentTable, table=True):
    """The ledger: an order's amount went from one pot of an account to another; never changed."""

    __table_args__ = (
        CheckConstraint(
            "(source, target) IN (('free', 'authorized'), ('authorized', 'captured'),"
            " ('authorized', 'free'))",
            name="known_move",
        ),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )
    order_id: UUID = Field(primary_key=True, foreign_key="payment.order_id")
    source: str = Field(primary_key=True, max_length=10)
    target: str = Field(primary_key=True, max_length=10)
    customer_id: str
    amount_minor: int = Field(sa_type=BigInteger)
    booked_at: datetime = Field(sa_type=DateTime(timezone=True))
