"""The gateway's SQL. Locks in the platform's one order: idempotency keys first, then order rows."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    LargeBinary,
    Row,
    Text,
    Uuid,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway_service import domain
from gateway_service.models import GatewayTable
from sagaline.chassis.database import Transaction, unnest

KEYS: Final = GatewayTable.metadata.tables["idempotency_key"]
REQUESTS: Final = GatewayTable.metadata.tables["order_request"]
VIEWS: Final = GatewayTable.metadata.tables["order_view"]
OWNER_COLUMNS: Final = (KEYS.c.customer_id, KEYS.c.key, KEYS.c.order_id, KEYS.c.fingerprint)
# What their arrays are made of: jsonb goes as text, which the server casts.
VIEW_TYPES: Final = {
    column.name: Text() if isinstance(column.type, JSONB) else column.type for column in VIEWS.c
}


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
    lines = [json.dumps([asdict(line) for line in r.order.lines]) for r in requests]
    given = unnest(
        {
            "order_id": (Uuid, [r.order_id for r in requests]),
            "customer_id": (Text, [r.order.customer_id for r in requests]),
            "currency": (Text, [r.order.currency for r in requests]),
            "lines": (Text, lines),
            "placed_at": (DateTime(timezone=True), [r.placed_at for r in requests]),
        }
    )
    names = ("order_id", "customer_id", "currency", "lines", "placed_at")
    chosen = select(*_columns(given, names, json_name="lines"))
    await tx.execute(insert(REQUESTS).from_select(names, chosen))


async def show(tx: Transaction, views: Sequence[domain.View]) -> None:
    """Show these views, one an order, where they are newer than what is shown.

    Views of orders that were not accepted into this database are passed over.
    """
    if not views:
        return
    arrays = {name: [getattr(view, name) for view in views] for name in VIEW_TYPES}
    arrays["steps"] = [json.dumps(view.steps) for view in views]
    given = unnest({name: (kind, arrays[name]) for name, kind in VIEW_TYPES.items()})
    ours = (
        select(*_columns(given, VIEW_TYPES, json_name="steps"))
        .join(REQUESTS, REQUESTS.c.order_id == given.c.order_id)
        .order_by(given.c.order_id)
    )
    await tx.execute(_unless_older(upsert(VIEWS).from_select(list(VIEW_TYPES), ours)))


def _unless_older(statement: Insert) -> Insert:
    new = statement.excluded
    changes: dict[str, ColumnElement[Any]] = {
        name: new[name] for name in VIEW_TYPES if name != "order_id"
    }
    # The customer's clock stops when the outcome is first shown, not at each later snapshot.
    changes["ended_at"] = func.coalesce(VIEWS.c.ended_at, new.ended_at)
    return statement.on_conflict_do_update(
        index_elements=[VIEWS.c.order_id], set_=changes, where=VIEWS.c.sequence < new.sequence
    )


def _columns(
    given: FromClause, names: Iterable[str], *, json_name: str
) -> list[ColumnElement[Any]]:
    return [cast(given.c[n], JSONB) if n == json_name else given.c[n] for n in names]


async def placed_order(tx: Transaction, order_id: UUID) -> domain.PlacedOrder | None:
    """The order and how it stands; None when it was not accepted here."""
    query = (
        select(*REQUESTS.c, *(column.label(f"view_{column.name}") for column in VIEWS.c))
        .join(VIEWS, VIEWS.c.order_id == REQUESTS.c.order_id, isouter=True)
        .where(REQUESTS.c.order_id == order_id)
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    view = None
    if row["view_order_id"] is not None:
        view = domain.View(**{name: row[f"view_{name}"] for name in VIEW_TYPES})
    lines = tuple(domain.Line(**line) for line in row["lines"])
    order = domain.Order(row["customer_id"], row["currency"], lines)
    return domain.PlacedOrder(order_id, order, row["placed_at"], view)
