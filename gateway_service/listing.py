"""Pages of orders, the newest first: keyset, so what comes in meanwhile shifts no page.

Orders that a status leaves out are passed over, but no more than SCANNED_MAX of them for a page:
one that found too few by then is shorter, and the next one goes on where it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from gateway_service import domain, repository
from sagaline.chassis import paging
from sagaline.chassis.database import Transaction

SCANNED_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order stands in the list."""

    placed_at: datetime
    order_id: UUID

    @classmethod
    def of(cls, cursor: str) -> "Place":
        """The place in a cursor. Raises UnknownCursor."""
        placed_at, order_id = paging.parts_of(cursor, str, str)
        try:
            at = datetime.fromisoformat(str(placed_at))
            place = cls(at.astimezone(UTC), UUID(str(order_id)))
        except (ValueError, OverflowError) as error:  # the second: a zone at the end of time
            raise paging.UnknownCursor from error
        if at.tzinfo is None:
            raise paging.UnknownCursor
        return place

    @property
    def cursor(self) -> str:
        """The place as a text to be given back."""
        return paging.cursor(self.placed_at.isoformat(), str(self.order_id))


BEGIN: Final = Place(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a page is of: those that stand after this place in the list."""

    status: domain.Status | None
    customer_id: str | None
    after: Place


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders, and after which place the next page begins; None: there are no more."""

    orders: Sequence[domain.PlacedOrder]
    next: Place | None


async def page(tx: Transaction, wanted: Wanted, *, limit: int) -> Page:
    """The newest orders after that place, at most `limit`."""
    given: list[object] = [wanted.after.placed_at, wanted.after.order_id, wanted.status, limit]
    if wanted.customer_id is None:
        rows = await tx.fetch(ALL, *given)
    else:
        rows = await tx.fetch(A_CUSTOMERS, *given, wanted.customer_id)
    orders = [repository.placed_order_of(row) for row in rows if row["order_id"] is not None]
    if len(orders) == limit:
        return Page(orders, Place(orders[-1].placed_at, orders[-1].order_id))
    if rows and rows[0]["may_go_on"]:
        return Page(orders, Place(rows[0]["last_placed_at"], rows[0]["last_order_id"]))
    return Page(orders, None)


def _statement(condition: str) -> str:
    return f"""
        WITH scanned AS MATERIALIZED (
            SELECT placed_at, order_id FROM order_request
            WHERE (placed_at, order_id) < ($1::timestamptz, $2::uuid) {condition}
            ORDER BY placed_at DESC, order_id DESC LIMIT {SCANNED_MAX}
        ), edge AS (
            SELECT (SELECT count(*) FROM scanned) = {SCANNED_MAX} AS may_go_on,
                placed_at AS last_placed_at, order_id AS last_order_id
            FROM scanned ORDER BY placed_at, order_id LIMIT 1
        ), page AS (
            SELECT {repository.PLACED_COLUMNS}
            FROM scanned
            JOIN order_request AS request ON request.order_id = scanned.order_id
            LEFT JOIN order_view AS shown ON shown.order_id = scanned.order_id
            WHERE $3::text IS NULL OR coalesce(shown.status, 'PENDING') = $3::text
            ORDER BY scanned.placed_at DESC, scanned.order_id DESC LIMIT $4
        )
        SELECT page.*, edge.* FROM edge LEFT JOIN page ON true
        ORDER BY page.placed_at DESC, page.order_id DESC
    """  # noqa: S608 - of constants


ALL: Final = _statement("")
A_CUSTOMERS: Final = _statement("AND customer_id = $5::text")
