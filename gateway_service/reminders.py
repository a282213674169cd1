"""The SQL of reminders: accepted orders of which no saga event came, and how often they were sent.

An order whose message still waits in the outbox is none of them: it is not lost, only late.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from gateway_service import domain
from gateway_service.repository import PLACED_COLUMNS, placed_order_of
from sagaline.chassis.database import Transaction

UNHEARD: Final = """
    FROM order_request AS request
    LEFT JOIN order_view AS shown ON shown.order_id = request.order_id
    LEFT JOIN order_reminder AS reminder ON reminder.order_id = request.order_id
    WHERE request.placed_at >= $1 AND request.placed_at < $2 AND shown.order_id IS NULL
"""

# Twice as long each time. Locked, so that several gateways seldom ask for the same orders.
DUE: Final = f"""
    SELECT {PLACED_COLUMNS}, coalesce(reminder.times, 0) {UNHEARD}
        AND coalesce(reminder.times, 0) < $3
        AND (reminder.order_id IS NULL
            OR reminder.reminded_at < $4::timestamptz - $5::interval * (2 ^ reminder.times))
        AND NOT EXISTS (
            SELECT FROM sagaline.outbox AS waiting WHERE waiting.key = request.order_id::text
        )
    ORDER BY request.placed_at, request.order_id LIMIT $6
    FOR UPDATE OF request SKIP LOCKED
"""  # noqa: S608 - of constants

# Who saw the row before another gateway's reminder was committed finds another count here.
REMINDED: Final = """
    INSERT INTO order_reminder AS reminder (order_id, times, reminded_at)
    SELECT order_id, times + 1, $3 FROM unnest($1::uuid[], $2::int[]) AS given(order_id, times)
    ORDER BY order_id
    ON CONFLICT (order_id) DO UPDATE SET times = excluded.times, reminded_at = $3
    WHERE reminder.times = excluded.times - 1
    RETURNING order_id
"""

STANDING: Final = f"""
    SELECT min(request.placed_at), count(*) FILTER (WHERE coalesce(reminder.times, 0) >= $3)
    {UNHEARD}
"""


class Due(NamedTuple):
    """An order that is to be sent again, and how often it was."""

    order: domain.PlacedOrder
    times: int


class Standing(NamedTuple):
    """The oldest order of which nothing came, if there is one; how many are given up."""

    oldest_placed_at: datetime | None
    given_up: int


async def due(
    tx: Transaction,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    times_max: int,
    pause: timedelta,
    limit: int,
) -> list[Due]:
    """Orders placed in between that are to be sent again now, locked until `tx` ends."""
    rows = await tx.fetch(DUE, since, until, times_max, now, pause, limit)
    return [Due(placed_order_of(row), row[-1]) for row in rows]


async def reminded(tx: Transaction, orders: Sequence[Due], now: datetime) -> set[UUID]:
    """Which of these orders `tx` counts as sent once more; nobody else has, meanwhile."""
    ids, times = [each.order.order_id for each in orders], [each.times for each in orders]
    return {row[0] for row in await tx.fetch(REMINDED, ids, times, now)}


async def standing(
    tx: Transaction, *, since: datetime, until: datetime, times_max: int
) -> Standing:
    """How it stands with the orders placed in between."""
    ((oldest, given_up),) = await tx.fetch(STANDING, since, until, times_max)
    return Standing(oldest, given_up)
