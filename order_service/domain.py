"""Order rules: what may be an order, and how it ends.

A refusal is a value; an exception that leaves this module is a bug. Prices, stock and credit are
other services' business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

LINES_MAX: Final = 100
QUANTITY_MAX: Final = 10_000
SKU_LENGTH_MAX: Final = 64

Status: TypeAlias = Literal["PENDING", "CONFIRMED", "REJECTED"]


@dataclass(frozen=True, slots=True)
class Line:
    """So many whole units of one SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order and where it stands; what it costs is known from its confirmation on."""

    order_id: UUID
    customer_id: str
    currency: str
    status: Status
    total_minor: int | None
    placed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing changes: a code for programs and a sentence for people."""

    code: str
    detail: str


def create(lines: Sequence[Line]) -> Refusal | None:
    """Why these lines can't be an order, if they can't."""
    if not 1 <= len(lines) <= LINES_MAX:
        return Refusal("line_count", f"An order has 1 to {LINES_MAX} lines, not {len(lines)}.")
    seen: set[str] = set()
    for line in lines:
        if not 1 <= len(line.sku) <= SKU_LENGTH_MAX or not line.sku.isprintable():
            return Refusal("bad_sku", f"A SKU has 1 to {SKU_LENGTH_MAX} printable characters.")
        if line.sku in seen:
            return Refusal("repeated_sku", f"{line.sku} stands in the order twice.")
        if not 1 <= line.quantity <= QUANTITY_MAX:
            detail = f"1 to {QUANTITY_MAX} units of {line.sku} can be ordered, not {line.quantity}."
            return Refusal("bad_quantity", detail)
        seen.add(line.sku)
    return None


def confirm(order: Order | None, *, currency: str) -> Refusal | None:
    """Why the order can't become CONFIRMED, if it can't: the pivot is passed once, from PENDING."""
    if order is None:
        return Refusal("unknown_order", "There is no such order.")
    if order.status != "PENDING":
        return Refusal("not_pending", f"The order is {order.status}.")
    if order.currency != currency:
        return Refusal("other_currency", f"The order is in {order.currency}, not in {currency}.")
    return None


def reject(order: Order | None) -> None:
    """Nothing: an order whose creation is undone is there, and PENDING. All else is a bug."""
    assert order is not None, "an order that was not created can't be rejected"
    assert order.status == "PENDING", order


@dataclass(frozen=True, slots=True)
class Books:
    """How many orders stand how, and what the confirmed ones cost, by currency."""

    balanced: bool
    problems: tuple[str, ...]
    orders: Mapping[Status, int]
    confirmed_minor: Mapping[str, int]
