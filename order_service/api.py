"""The order service's HTTP side: an order as this service keeps it, and the books."""

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from order_service import domain, repository
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.web import Problem, database

OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

router = APIRouter(tags=["order"])


class OrderNotFound(PlatformError):
    """There is no order {order_id}; one that was just accepted may not have come here yet."""

    status = 404


class OrderDocument(BaseModel):
    """An order and its lines."""

    order_id: UUID
    customer_id: str
    currency: str = Field(description="ISO 4217 code.")
    lines: list[domain.Line] = Field(description="By SKU.")
    status: domain.Status
    total_minor: int | None = Field(description="In minor units; null unless CONFIRMED.")
    placed_at: datetime
    ended_at: datetime | None = Field(description="When it was confirmed or rejected.")


@router.get("/orders/{order_id}", responses={404: {"model": Problem}})
async def get_order(order_id: UUID, db: OpenDatabase) -> OrderDocument:
    """One order, as the order service keeps it; the gateway shows its saga beside it."""
    async with db.transaction() as tx:
        order = await repository.find_order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id=order_id)
        lines = await repository.lines_of(tx, order_id)
    return OrderDocument(
        order_id=order.order_id,
        customer_id=order.customer_id,
        currency=order.currency,
        lines=lines,
        status=order.status,
        total_minor=order.total_minor,
        placed_at=order.placed_at,
        ended_at=order.ended_at,
    )


@router.get("/books")
async def get_books(db: OpenDatabase) -> domain.Books:
    """Whether everything that the order service keeps adds up, and to what."""
    async with db.transaction() as tx:
        return await repository.read_books(tx)
