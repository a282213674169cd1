"""The gateway's tables: what was accepted, under which idempotency keys, and how it stands."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class GatewayTable(SQLModel, registry=registry()):
    """Base of this service's tables; own metadata keeps them out of other services' migrations."""


class IdempotencyKey(GatewayTable, table=True):
    """The order that the first request with this key made, and the hash of that request."""

    __tablename__ = "idempotency_key"
    customer_id: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=255)
    fingerprint: bytes
    order_id: UUID
    claimed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class OrderRequest(GatewayTable, table=True):
    """An accepted order as it was asked for; never changed."""

    __tablename__ = "order_request"
    __table_args__ = (
        Index("order_request_placed", "placed_at", "order_id"),
        Index("order_request_customer_placed", "customer_id", "placed_at", "order_id"),
    )
    order_id: UUID = Field(primary_key=True)
    customer_id: str = Field(max_length=64)
    currency: str = Field(max_length=3)
    lines: list[dict[str, object]] = Field(sa_column=Column(JSONB, nullable=False))
    placed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class OrderReminder(GatewayTable, table=True):
    """How often an order was sent to the orchestrator again, since no saga event had come."""

    __tablename__ = "order_reminder"
    order_id: UUID = Field(primary_key=True)
    times: int
    reminded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class OrderView(GatewayTable, table=True):
    """An order's saga as its newest snapshot shows it; can be built anew from snapshots."""

    __tablename__ = "order_view"
    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'CONFIRMED', 'REJECTED')", name="known_status"),
        CheckConstraint("(status = 'PENDING') = (ended_at IS NULL)", name="ended_when_decided"),
    )
    order_id: UUID = Field(primary_key=True)
    sequence: int = Field(sa_column=Column(BigInteger, nullable=False))
    status: str
    saga_id: UUID
    definition: str
    version: int
    state: str
    failed_step: str | None
    code: str | None
    detail: str | None
    steps: str  # a JSON array; as jsonb each snapshot would cost the database half as much again
    started_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
