"""The inventory's SQL, a set of rows at a time.

Shelves are what orders share, so they are locked in the order of their SKUs and in one statement.
The lines of an order are nobody else's: its barrier row is held by whoever works on it.
What each batch of commands runs is plain SQL; what people ask for is Core.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col

from inventory_service import domain
from inventory_service.models import Movement, Shelf
from sagaline.chassis.database import Transaction
from schemas.messages import StockReserved

# Shelves in SKU order: two batches over the same ones wait for each other and never deadlock.
LOCK_OFFERS = """
    SELECT sku, on_hand - reserved, price_minor, currency FROM shelf
    WHERE sku = ANY($1::text[]) ORDER BY sku FOR UPDATE
"""

LOCK_SHELVES = """
    SELECT sku FROM shelf
    WHERE sku = ANY($1::text[])
        OR sku IN (SELECT sku FROM reservation WHERE order_id = ANY($2::uuid[]))
    ORDER BY sku FOR UPDATE
"""

RESERVE = """
    WITH kept AS (
        INSERT INTO reservation
            (order_id, sku, quantity, price_minor, currency, state, reserved_at)
        SELECT given.*, 'reserved', now()
        FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::text[]) AS given
    )
    UPDATE shelf SET reserved = reserved + taken.units
    FROM (
        SELECT sku, sum(quantity) AS units FROM unnest($2::text[], $3::int[]) AS line(sku, quantity)
        GROUP BY sku
    ) AS taken
    WHERE shelf.sku = taken.sku
"""

# Locks in SKU order, then writes: a plain UPDATE would lock in whatever order its plan visits.
END_LINES = """
    WITH ended AS (
        UPDATE reservation SET state = $2, ended_at = now()
        WHERE order_id = ANY($1::uuid[]) AND state = 'reserved'
        RETURNING order_id, sku, quantity
    ), locked AS (
        SELECT shelf.sku, freed.units
        FROM (SELECT sku, sum(quantity) AS units FROM ended GROUP BY sku) AS freed
        JOIN shelf ON shelf.sku = freed.sku
        ORDER BY shelf.sku FOR UPDATE OF shelf
    ), changed AS (
        UPDATE shelf
        SET reserved = reserved - units,
            on_hand = on_hand - CASE $2 WHEN 'committed' THEN units ELSE 0 END
        FROM locked WHERE shelf.sku = locked.sku
    )
    SELECT DISTINCT order_id FROM ended
"""


async def lock_offers(tx: Transaction, skus: Collection[str]) -> domain.Offers:
    """Offers by SKU, their shelves locked until `tx` ends; an unknown SKU is absent."""
    rows = await tx.fetch(LOCK_OFFERS, list(skus))
    return {sku: domain.Offer(*offer) for sku, *offer in rows}


async def lock_shelves(tx: Transaction, skus: Collection[str], *, orders: Collection[UUID]) -> None:
    """Locked until `tx` ends: the shelves of these SKUs, and of what these orders have reserved."""
    await tx.fetch(LOCK_SHELVES, list(skus), list(orders))


async def save_reserved(tx: Transaction, orders: Sequence[StockReserved]) -> None:
    """Keep these orders' lines and promise their units; the shelves are locked."""
    lines = [(order, line) for order in orders for line in order.lines]
    if not lines:
        return
    skus = [line.sku for _, line in lines]
    changed = await tx.run(
        RESERVE,
        [order.order_id for order, _ in lines],
        skus,
        [line.quantity for _, line in lines],
        [line.price_minor for _, line in lines],
        [order.currency for order, _ in lines],
    )
    assert changed == len(set(skus)), (changed, skus)


async def end_lines(
    tx: Transaction, orders: Collection[UUID], state: Literal["committed", "released"]
) -> None:
    """What these orders have reserved leaves the shelves for good, or is free again.

    Below zero, or above what lies on a shelf, no constraint lets its numbers go.
    """
    ended = await tx.fetch(END_LINES, list(orders), state)
    without = set(orders) - {order_id for (order_id,) in ended}
    assert not without, f"nothing is reserved for {without}"


async def open_shelf(tx: Transaction, sku: str, *, price_minor: int, currency: str) -> domain.Shelf:
    """The shelf of this SKU, locked; an empty one is made where there was none."""
    empty = {"sku": sku, "on_hand": 0, "reserved": 0}
    made = upsert(Shelf).values(**empty, price_minor=price_minor, currency=currency)
    await tx.execute(made.on_conflict_do_nothing())
    # A statement of its own: the one that waited for another's insert would not see its row.
    rows = await tx.execute(select(Shelf).where(col(Shelf.sku) == sku).with_for_update())
    return _shelf(rows.one())


async def save_shelf(tx: Transaction, shelf: domain.Shelf, *, moved: int) -> None:
    """Keep the shelf, which is locked, as it is given; `moved` units came from outside."""
    await tx.execute(
        update(Shelf)
        .where(col(Shelf.sku) == shelf.sku)
        .values(on_hand=shelf.on_hand, price_minor=shelf.price_minor, currency=shelf.currency)
    )
    if moved:
        put = insert(Movement).values(sku=shelf.sku, units=moved, moved_at=func.now())
        await tx.execute(put)


async def shelves(tx: Transaction, *, after: str, limit: int) -> list[domain.Shelf]:
    """The first `limit` shelves behind this SKU, in SKU order."""
    query = select(Shelf).where(col(Shelf.sku) > after).order_by(col(Shelf.sku)).limit(limit)
    return [_shelf(row) for row in await tx.execute(query)]


async def find_shelf(tx: Transaction, sku: str) -> domain.Shelf | None:
    """The shelf of this SKU, if there is one."""
    row = (await tx.execute(select(Shelf).where(col(Shelf.sku) == sku))).one_or_none()
    return None if row is None else _shelf(row)


def _shelf(row: Row[Any]) -> domain.Shelf:
    return domain.Shelf(row.sku, row.on_hand, row.reserved, row.price_minor, row.currency)


_TOTALS = text(
    """
    SELECT (SELECT coalesce(sum(on_hand), 0) FROM shelf) AS on_hand,
           (SELECT coalesce(sum(reserved), 0) FROM shelf) AS reserved,
           coalesce(sum(quantity) FILTER (WHERE state = 'committed'), 0) AS committed,
           count(DISTINCT order_id) FILTER (WHERE state = 'reserved') AS open_reservations
    FROM reservation
    """
)
_COMMITTED = text(
    """
    SELECT currency, sum(quantity * price_minor) AS amount_minor
    FROM reservation WHERE state = 'committed' GROUP BY currency ORDER BY currency
    """
)
# A shelf's numbers beside what lines and movements make of them, where the two differ.
_DIFFERENCES = text(
    """
    WITH line AS (
        SELECT sku, sum(quantity) FILTER (WHERE state = 'reserved') AS held,
               sum(quantity) FILTER (WHERE state = 'committed') AS committed
        FROM reservation GROUP BY sku
    ), put AS (SELECT sku, sum(units) AS units FROM movement GROUP BY sku)
    SELECT sku, on_hand, reserved, coalesce(held, 0) AS held,
           coalesce(committed, 0) AS committed, coalesce(units, 0) AS put
    FROM shelf LEFT JOIN line USING (sku) LEFT JOIN put USING (sku)
    WHERE reserved <> coalesce(held, 0)
       OR on_hand + coalesce(committed, 0) <> coalesce(units, 0)
    ORDER BY sku LIMIT 20
    """
)


async def read_books(tx: Transaction) -> domain.Books:
    """Totals, and at most 20 shelves that differ; all of one moment, so called first in `tx`.

    On each shelf `reserved` is what open lines hold, and what was put there from outside lies
    there still or was committed.
    """
    await tx.freeze()
    totals = (await tx.execute(_TOTALS)).one()
    committed = await tx.execute(_COMMITTED)
    problems = tuple(
        f"{shelf.sku}: {shelf.reserved} reserved, open lines hold {shelf.held}; "
        f"{shelf.on_hand} on hand, {shelf.committed} committed, {shelf.put} put there"
        for shelf in await tx.execute(_DIFFERENCES)
    )
    return domain.Books(
        balanced=not problems,
        problems=problems,
        on_hand=int(totals.on_hand),
        reserved=int(totals.reserved),
        committed=int(totals.committed),
        committed_minor={row.currency: int(row.amount_minor) for row in committed},
        open_reservations=totals.open_reservations,
    )
