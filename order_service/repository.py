"""The order service's SQL, a set of rows at a time; orders are locked in the order of their ids."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Integer,
    Row,
    Text,
    Uuid,
    any_,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlmodel import col

from order_service import domain
from order_service.models import Order, OrderLine
from sagaline.chassis.database import Transaction, unnest
from schemas.messages import CreateOrder


async def add_orders(tx: Transaction, orders: Sequence[CreateOrder]) -> None:
    """Keep these orders as PENDING, with their lines."""
    given = unnest(
        {
            "order_id": (Uuid, [order.order_id for order in orders]),
            "customer_id": (Text, [order.customer_id for order in orders]),
            "currency": (Text, [order.currency for order in orders]),
            "placed_at": (DateTime(timezone=True), [order.placed_at for order in orders]),
        }
    )
    columns = ("order_id", "customer_id", "currency", "placed_at", "status")
    pending = select(*given.c, literal("PENDING"))
    await tx.execute(insert(Order).from_select(columns, pending))
    lines = [(order.order_id, line) for order in orders for line in order.lines]
    given = unnest(
        {
            "order_id": (Uuid, [order_id for order_id, _ in lines]),
            "sku": (Text, [line.sku for _, line in lines]),
            "quantity": (Integer, [line.quantity for _, line in lines]),
        }
    )
    chosen = select(*given.c)
    await tx.execute(insert(OrderLine).from_select(("order_id", "sku", "quantity"), chosen))


async def lock_orders(tx: Transaction, order_ids: Collection[UUID]) -> dict[UUID, domain.Order]:
    """These orders, locked until `tx` ends; an unknown one is absent."""
    query = select(Order).where(col(Order.order_id) == any_(literal(list(order_ids), ARRAY(Uuid))))
    rows = await tx.execute(query.order_by(col(Order.order_id)).with_for_update())
    return {row.order_id: _order(row) for row in rows}


async def confirm_orders(tx: Transaction, totals: Mapping[UUID, int]) -> datetime:
    """These orders, locked and PENDING, are CONFIRMED at these totals: since when."""
    given = unnest(
        {
            "order_id": (Uuid, list(totals)),
            "total_minor": (BigInteger, list(totals.values())),
        }
    )
    ended = await tx.execute(
        update(Order)
        .where(col(Order.order_id) == given.c.order_id, col(Order.status) == "PENDING")
        .values(status="CONFIRMED", total_minor=given.c.total_minor, ended_at=func.now())
        .returning(col(Order.ended_at))
    )
    return _moment(ended.scalars().all(), len(totals))


async def reject_orders(tx: Transaction, order_ids: Collection[UUID]) -> datetime:
    """These orders, locked and PENDING, are REJECTED: since when."""
    asked = any_(literal(list(order_ids), ARRAY(Uuid)))
    ended = await tx.execute(
        update(Order)
        .where(col(Order.order_id) == asked, col(Order.status) == "PENDING")
        .values(status="REJECTED", ended_at=func.now())
        .returning(col(Order.ended_at))
    )
    return _moment(ended.scalars().all(), len(order_ids))


def _moment(ended_at: Sequence[datetime], expected: int) -> datetime:
    assert len(ended_at) == expected, (len(ended_at), expected)
    return ended_at[0]  # the transaction's time, the same in all rows


async def find_order(tx: Transaction, order_id: UUID) -> domain.Order | None:
    """The order with this id, if there is one."""
    row = (await tx.execute(select(Order).where(col(Order.order_id) == order_id))).one_or_none()
    return None if row is None else _order(row)


async def lines_of(tx: Transaction, order_id: UUID) -> list[domain.Line]:
    """The order's lines, by SKU."""
    query = select(OrderLine).where(col(OrderLine.order_id) == order_id)
    rows = await tx.execute(query.order_by(col(OrderLine.sku)))
    return [domain.Line(row.sku, row.quantity) for row in rows]


def _order(row: Row[Any]) -> domain.Order:
    return domain.Order(
        row.order_id,
        row.customer_id,
        row.currency,
        row.status,
        row.total_minor,
        row.placed_at,
        row.ended_at,
    )


STATUSES: Final[tuple[domain.Status, ...]] = get_args(domain.Status)
_TOTALS = text(
    """
    SELECT status, currency, count(*) AS orders, coalesce(sum(total_minor), 0) AS total_minor
    FROM orders GROUP BY status, currency ORDER BY status, currency
    """
)
_WITHOUT_LINES = text(
    """
    SELECT order_id FROM orders
    WHERE NOT EXISTS (SELECT FROM order_line WHERE order_line.order_id = orders.order_id)
    ORDER BY order_id LIMIT 20
    """
)


async def read_books(tx: Transaction) -> domain.Books:
    """Totals, and at most 20 orders without lines; all of one moment, so called first in `tx`."""
    await tx.freeze()
    totals = (await tx.execute(_TOTALS)).all()
    without = await tx.execute(_WITHOUT_LINES)
    problems = tuple(f"{row.order_id} has no lines" for row in without)
    return domain.Books(
        balanced=not problems,
        problems=problems,
        orders={s: sum(row.orders for row in totals if row.status == s) for s in STATUSES},
        confirmed_minor={
            row.currency: int(row.total_minor) for row in totals if row.status == "CONFIRMED"
        },
    )
