"""What may be an order, and how it ends."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from order_service import domain
from order_service.domain import Line, Order, Refusal

PLACED_AT = datetime(2026, 5, 1, tzinfo=UTC)
PENDING = Order(UUID(int=1), "ann", "EUR", "PENDING", None, PLACED_AT, None)
CONFIRMED = replace(PENDING, status="CONFIRMED", total_minor=900, ended_at=PLACED_AT)
REJECTED = replace(PENDING, status="REJECTED", ended_at=PLACED_AT)


def code(refusal: Refusal | None) -> str | None:
    return None if refusal is None else refusal.code


@pytest.mark.parametrize(
    "lines, refused",
    [
        ([Line("LAMP-1", 1)], None),
        ([Line(f"SKU-{n}", 10_000) for n in range(100)], None),
        ([], "line_count"),
        ([Line(f"SKU-{n}", 1) for n in range(101)], "line_count"),
        ([Line("LAMP-1", 0)], "bad_quantity"),
        ([Line("LAMP-1", 10_001)], "bad_quantity"),
        ([Line("LAMP-1", 1), Line("LAMP-1", 2)], "repeated_sku"),
        ([Line("", 1)], "bad_sku"),
        ([Line("X" * 65, 1)], "bad_sku"),
        ([Line("LAMP\0", 1)], "bad_sku"),
    ],
)
def test_what_can_be_no_order_is_refused(lines: list[Line], refused: str | None) -> None:
    assert code(domain.create(lines)) == refused


@pytest.mark.parametrize(
    "order, currency, refused",
    [
        (PENDING, "EUR", None),
        (PENDING, "USD", "other_currency"),
        (CONFIRMED, "EUR", "not_pending"),
        (REJECTED, "EUR", "not_pending"),
        (None, "EUR", "unknown_order"),
    ],
)
def test_only_a_pending_order_is_confirmed(
    order: Order | None, currency: str, refused: str | None
) -> None:
    assert code(domain.confirm(order, currency=currency)) == refused


def test_a_pending_order_can_be_rejected() -> None:
    domain.reject(PENDING)


@pytest.mark.parametrize("order", [CONFIRMED, REJECTED, None])
def test_to_reject_what_has_passed_the_pivot_is_a_bug(order: Order | None) -> None:
    with pytest.raises(AssertionError):
        domain.reject(order)
