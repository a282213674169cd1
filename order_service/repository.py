"""The order service's SQL, a set of rows at a time; orders are locked in the order of their ids.

What each batch of commands runs is plain SQL; what people ask for is Core.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlmodel import col

from order_service import domain
from order_service.models import Order, OrderLine
from sagaline.chassis.database import Transaction
from schemas.messages import CreateOrder

ADD_ORDERS = """
    WITH added AS (
        INSERT INTO orders (order_id, customer_id, currency, placed_at, status)
        SELECT given.*, 'PENDING'
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS given
    )
    INSERT INTO order_line (order_id, sku, quantity)
    SELECT given.* FROM unnest($5::uuid[], $6::text[], $7::int[]) AS given
"""

LOCK_ORDERS = """
    SELECT order_id, customer_id, currency, status, total_minor, placed_at, ended_at FROM orders
    WHERE order_id = ANY($1::uuid[]) ORDER BY order_id FOR UPDATE
"""

CONFIRM_ORDERS = """
    UPDATE orders SET status = 'CONFIRMED', total_minor = given.total_minor, ended_at = now()
    FROM unnest($1::uuid[], $2::bigint[]) AS given(order_id, total_minor)
    WHERE orders.order_id = given.order_id AND orders.status = 'PENDING'
    RETURNING orders.ended_at
"""

REJECT_ORDERS = """
    UPDATE orders SET status = 'REJECTED', ended_at = now()
    WHERE order_id = ANY($1::uuid[]) AND status = 'PENDING'
    RETURNING ended_at
"""


async def add_orders(tx: Transaction, orders: Sequence[CreateOrder]) -> None:
    """Keep these orders as PENDING, with their lines."""
    lines = [(order.order_id, line) for order in orders for line in order.lines]
    await tx.run(
        ADD_ORDERS,
        [order.order_id for order in orders],
        [order.customer_id for order in orders],
        [order.currency for order in orders],
        [order.placed_at for order in orders],
        [order_id for order_id, _ in lines],
        [line.sku for _, line in lines],
        [line.quantity for _, line in lines],
    )


async def lock_orders(tx: Transaction, order_ids: Collection[UUID]) -> dict[UUID, domain.Order]:
    """These orders, locked until `tx` ends; an unknown one is absent."""
    rows = await tx.fetch(LOCK_ORDERS, list(order_ids))
    return {order_id: domain.Order(order_id, *rest) for order_id, *rest in rows}


async def confirm_orders(tx: Transaction, totals: Mapping[UUID, int]) -> datetime:
    """These orders, locked and PENDING, are CONFIRMED at these totals: since when."""
    ended = await tx.fetch(CONFIRM_ORDERS, list(totals), list(totals.values()))
    return _moment([row["ended_at"] for row in ended], len(totals))


async def reject_orders(tx: Transaction, order_ids: Collection[UUID]) -> datetime:
    """These orders, locked and PENDING, are REJECTED: since when."""
    ended = await tx.fetch(REJECT_ORDERS, list(order_ids))
    return _moment([row["ended_at"] for row in ended], len(order_ids))


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
