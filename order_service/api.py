"""The order service's HTTP side: an order as this service keeps it, and the books."""

from datetime import datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field, JsonValue

from order_service import domain, repository
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.openapi import answers
from sagaline.chassis.web import database

OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

AN_ORDER_ID: Final = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"
OrderId: TypeAlias = Annotated[UUID, Path(examples=[AN_ORDER_ID])]
AN_ORDER: Final[dict[str, JsonValue]] = {
    "order_id": AN_ORDER_ID,
    "customer_id": "c-1001",
    "currency": "EUR",
    "lines": [{"sku": "LAMP-1", "quantity": 1}],
    "status": "CONFIRMED",
    "total_minor": 4_990,
    "placed_at": "2026-11-22T12:00:00.004000Z",
    "ended_at": "2026-11-22T12:00:00.087000Z",
}
SOME_BOOKS: Final[dict[str, JsonValue]] = {
    "balanced": True,
    "problems": [],
    "orders": {"PENDING": 0, "CONFIRMED": 1, "REJECTED": 0},
    "confirmed_minor": {"EUR": 4_990},
}

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


@router.get("/orders/{order_id}", responses=answers(AN_ORDER, OrderNotFound))
async def get_order(order_id: OrderId, db: OpenDatabase) -> OrderDocument:
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


@router.get("/books", responses=answers(SOME_BOOKS))
async def get_books(db: OpenDatabase) -> domain.Books:
    """Whether everything that the order service keeps adds up, and to what."""
    async with db.transaction() as tx:
        return await repository.read_books(tx)
