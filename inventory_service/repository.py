"""The inventory's SQL, a set of rows at a time.

Shelves are what orders share, so they are locked in the order of their SKUs and in one statement.
The lines of an order are nobody else's: its barrier row is held by whoever works on it.
What each batch of commands runs is plain SQL; what people ask for is Core.
"""

from collections import Counter
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
    INSERT INTO reservation
        (order_id, sku, quantity, price_minor, currency, state, reserved_at)
    SELECT given.*, 'reserved', now()
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::text[]) AS given
"""

END_LINES = """
    UPDATE reservation SET state = $2, ended_at = now()
    WHERE order_id = ANY($1::uuid[]) AND state = 'reserved'
    RETURNING order_id, sku, quantity
"""

# Locks in SKU order, then writes: a plain UPDATE would lock in whatever order its plan visits.
CHANGE = """
    WITH locked AS (
        SELECT shelf.sku, given.reserved, given.on_hand
        FROM shelf JOIN unnest($1::text[], $2::int[], $3::int[]) AS given(sku, reserved, on_hand)
            ON shelf.sku = given.sku
        ORDER BY shelf.sku FOR UPDATE OF shelf
    )
    UPDATE shelf
    SET reserved = shelf.reserved + locked.reserved, on_hand = shelf.on_hand + locked.on_hand
    FROM locked WHERE shelf.sku = locked.sku
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
    await tx.run(
        RESERVE,
        [order.order_id for order, _ in lines],
        [line.sku for _, line in lines],
        [line.quantity for _, line in lines],
        [line.price_minor for _, line in lines],
        [order.currency for order, _ in lines],
    )
    taken: Counter[str] = Counter()
    for _, line in lines:
        taken[line.sku] += line.quantity
    await _change(tx, reserved=taken)


async def commit_lines(tx: Transaction, orders: Collection[UUID]) -> None:
    """What these orders have reserved leaves the shelves for good."""
    left = await _end_lines(tx, orders, "committed")
    await _change(tx, on_hand=_negative(left), reserved=_negative(left))


async def release_lines(tx: Transaction, orders: Collection[UUID]) -> None:
    """What these orders have reserved is free again."""
    freed = await _end_lines(tx, orders, "released")
    await _change(tx, reserved=_negative(freed))


async def _end_lines(
    tx: Transaction, orders: Collection[UUID], state: Literal["committed", "released"]
) -> Counter[str]:
    """Units by SKU of the orders' reserved lines, which are in `state` now."""
    lines = await tx.fetch(END_LINES, list(orders), state)
    without = set(orders) - {order_id for order_id, _, _ in lines}
    assert not without, f"nothing is reserved for {without}"
    units: Counter[str] = Counter()
    for _, sku, quantity in lines:
        units[sku] += quantity
    return units


def _negative(units: Counter[str]) -> Counter[str]:
    return Counter({sku: -quantity for sku, quantity in units.items()})


async def _change(
    tx: Transaction, *, reserved: Counter[str], on_hand: Counter[str] | None = None
) -> None:
    """Add to the shelves' numbers. Below zero, or above what lies there, no constraint lets it."""
    added = [(on_hand or Counter())[sku] for sku in reserved]
    changed = await tx.run(CHANGE, list(reserved), list(reserved.values()), added)
    assert changed == len(reserved), (changed, reserved)


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
