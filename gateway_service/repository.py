"""The gateway's SQL. Locks in the platform's one order: idempotency keys first, then order rows.

What happens to every order, however many there are, is plain SQL (ADR 13), the rest is Core.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from sqlalchemy import BigInteger, DateTime, LargeBinary, Row, Text, Uuid, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway_service import domain
from gateway_service.models import GatewayTable
from sagaline.chassis.database import Transaction, unnest

KEYS: Final = GatewayTable.metadata.tables["idempotency_key"]
OWNER_COLUMNS: Final = (KEYS.c.customer_id, KEYS.c.key, KEYS.c.order_id, KEYS.c.fingerprint)

ADD_ORDERS: Final = """
    INSERT INTO order_request (order_id, customer_id, currency, lines, placed_at)
    SELECT order_id, customer_id, currency, CAST(lines AS jsonb), placed_at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
        AS given(order_id, customer_id, currency, lines, placed_at)
"""

# A view's columns are in its own order. The customer's clock stops when the outcome is first shown,
# not at each later snapshot.
SHOW: Final = """
    INSERT INTO order_view (order_id, sequence, status, saga_id, definition, version, state,
        failed_step, code, detail, steps, started_at, updated_at, ended_at)
    SELECT order_id, sequence, status, saga_id, definition, version, state,
        failed_step, code, detail, steps, started_at, updated_at, ended_at
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::text[], $6::int[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::timestamptz[],
            $13::timestamptz[], $14::timestamptz[])
        AS given(order_id, sequence, status, saga_id, definition, version, state,
            failed_step, code, detail, steps, started_at, updated_at, ended_at)
    WHERE EXISTS (SELECT FROM order_request WHERE order_request.order_id = given.order_id)
    ORDER BY order_id
    ON CONFLICT (order_id) DO UPDATE SET sequence = excluded.sequence, status = excluded.status,
        saga_id = excluded.saga_id, definition = excluded.definition, version = excluded.version,
        state = excluded.state, failed_step = excluded.failed_step, code = excluded.code,
        detail = excluded.detail, steps = excluded.steps, started_at = excluded.started_at,
        updated_at = excluded.updated_at,
        ended_at = coalesce(order_view.ended_at, excluded.ended_at)
    WHERE order_view.sequence < excluded.sequence
    RETURNING order_id, ended_at
"""

# First the request's columns, then the view's in its own order; `placed_order_of` reads them.
PLACED_COLUMNS: Final = """
    request.order_id, request.customer_id, request.currency, CAST(request.lines AS text),
    request.placed_at, shown.sequence, shown.status, shown.saga_id, shown.definition,
    shown.version, shown.state, shown.failed_step, shown.code, shown.detail, shown.steps,
    shown.started_at, shown.updated_at, shown.ended_at
"""
VIEW_COLUMNS: Final = slice(5, 18)

PLACED_ORDERS: Final = f"""
    SELECT {PLACED_COLUMNS}
    FROM order_request AS request
    LEFT JOIN order_view AS shown ON shown.order_id = request.order_id
    WHERE request.order_id = ANY($1::uuid[])
"""  # noqa: S608 - of constants

# Who waits knows most of what is there: a look once a second at a thousand orders gives few rows.
NEWER_ORDERS: Final = f"""
    SELECT {PLACED_COLUMNS}
    FROM unnest($1::uuid[], $2::bigint[]) AS known(order_id, sequence)
    JOIN order_request AS request ON request.order_id = known.order_id
    LEFT JOIN order_view AS shown ON shown.order_id = known.order_id
    WHERE coalesce(shown.sequence, 0) > known.sequence
"""  # noqa: S608 - of constants


async def claim_keys(
    tx: Transaction, requests: Mapping[domain.Slot, domain.Request]
) -> dict[domain.Slot, domain.Owner]:
    """Who owns each key from now on: its request, or an earlier one.

    A key that another transaction is claiming at this moment has no owner in the answer. Nobody
    waits for anybody here: one customer's slow key must not hold up the batch that it is in.
    """
    if not requests:
        return {}
    owners = await _claim_free_keys(tx, requests)
    others = requests.keys() - owners.keys()
    # In a statement of its own: a key whose claim was committed while the first one ran is in
    # that one's way, but not in its snapshot.
    return owners | await _owners(tx, others) if others else owners


async def _claim_free_keys(
    tx: Transaction, requests: Mapping[domain.Slot, domain.Request]
) -> dict[domain.Slot, domain.Owner]:
    given = unnest(
        {
            "customer_id": (Text, [customer_id for customer_id, _ in requests]),
            "key": (Text, [key for _, key in requests]),
            "lock": (BigInteger, [_lock_id(slot) for slot in requests]),
            "fingerprint": (LargeBinary, [r.fingerprint for r in requests.values()]),
            "order_id": (Uuid, [r.order_id for r in requests.values()]),
            "claimed_at": (DateTime(timezone=True), [r.placed_at for r in requests.values()]),
        }
    )
    # The lock is held until the end of the transaction. Without it the insert would wait for a
    # transaction that is inserting the same key; whoever doesn't get it is not inserted at all.
    names = ("customer_id", "key", "fingerprint", "order_id", "claimed_at")
    free = (
        select(*(given.c[name] for name in names))
        .where(func.pg_try_advisory_xact_lock(given.c.lock))
        .order_by(given.c.customer_id, given.c.key)
    )
    claim = upsert(KEYS).from_select(names, free).on_conflict_do_nothing()
    return _owner_by_slot(await tx.execute(claim.returning(*OWNER_COLUMNS)))


async def _owners(
    tx: Transaction, slots: Collection[domain.Slot]
) -> dict[domain.Slot, domain.Owner]:
    given = unnest(
        {
            "customer_id": (Text, [customer_id for customer_id, _ in slots]),
            "key": (Text, [key for _, key in slots]),
        }
    )
    same = (KEYS.c.customer_id == given.c.customer_id) & (KEYS.c.key == given.c.key)
    return _owner_by_slot(await tx.execute(select(*OWNER_COLUMNS).join(given, same)))


def _owner_by_slot(rows: Iterable[Row[Any]]) -> dict[domain.Slot, domain.Owner]:
    return {(row.customer_id, row.key): domain.Owner(row.order_id, row.fingerprint) for row in rows}


def _lock_id(slot: domain.Slot) -> int:
    """A number of 64 bits for a key; two keys that share one would only get a needless 409."""
    digest = hashlib.blake2b("\0".join(slot).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


async def add_orders(tx: Transaction, requests: Sequence[domain.Request]) -> None:
    """Keep these requests; their order ids are new."""
    if not requests:
        return
    await tx.run(
        ADD_ORDERS,
        [request.order_id for request in requests],
        [request.order.customer_id for request in requests],
        [request.order.currency for request in requests],
        [_lines(request.order) for request in requests],
        [request.placed_at for request in requests],
    )


def _lines(order: domain.Order) -> str:
    return json.dumps([{"sku": line.sku, "quantity": line.quantity} for line in order.lines])


async def show(tx: Transaction, views: Sequence[domain.View]) -> list[domain.View]:
    """Show these views, one an order, where they are newer than what is shown; give just those.

    Views of orders that were not accepted into this database are passed over.
    """
    if not views:
        return []
    rows = await tx.fetch(SHOW, *map(list, zip(*views, strict=True)))
    ended_at: dict[UUID, datetime | None] = {row[0]: row[1] for row in rows}
    return [
        view
        if ended_at[view.order_id] == view.ended_at
        else view._replace(ended_at=ended_at[view.order_id])
        for view in views
        if view.order_id in ended_at
    ]


async def placed_orders(
    tx: Transaction, order_ids: Collection[UUID]
) -> dict[UUID, domain.PlacedOrder]:
    """These orders and how they stand; one that was not accepted here is absent."""
    rows = await tx.fetch(PLACED_ORDERS, list(order_ids))
    return {row[0]: placed_order_of(row) for row in rows}


async def newer_orders(
    tx: Transaction, known: Mapping[UUID, int]
) -> dict[UUID, domain.PlacedOrder]:
    """Those of these orders that were accepted here and are beyond the sequence that is known."""
    rows = await tx.fetch(NEWER_ORDERS, list(known), list(known.values()))
    return {row[0]: placed_order_of(row) for row in rows}


async def placed_order(tx: Transaction, order_id: UUID) -> domain.PlacedOrder | None:
    """The order and how it stands; None when it was not accepted here."""
    return (await placed_orders(tx, [order_id])).get(order_id)


def placed_order_of(row: Record) -> domain.PlacedOrder:
    """The order in a row that begins with PLACED_COLUMNS."""
    order_id, customer_id, currency, lines, placed_at, sequence, *_ = row
    order = domain.Order(
        customer_id,
        currency,
        tuple(domain.Line(line["sku"], line["quantity"]) for line in json.loads(lines)),
    )
    view = None if sequence is None else domain.View(order_id, *row[VIEW_COLUMNS])
    return domain.PlacedOrder(order_id, order, placed_at, view)
