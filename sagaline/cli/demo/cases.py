"""What the demo orders, and what must come of it. Amounts are in minor units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sagaline.local.views import Line, NewOrder, OrderStatus


@dataclass(frozen=True, slots=True)
class Case:
    """One order and its expected end, with the `code` of the refusal if it is to be rejected."""

    title: str
    order: NewOrder
    status: OrderStatus
    code: str | None = None
    key: str | None = None  # with one, the order is posted twice


@dataclass(frozen=True, slots=True)
class BadRequest:
    """A body that is no order: refused with `status`, naming `field` (or saying it in words)."""

    title: str
    body: bytes
    status: int
    names: str


@dataclass(frozen=True, slots=True)
class Stock:
    """Units on a shelf before and after all the orders."""

    sku: str
    price_minor: int
    currency: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Credit:
    """A customer's limit, and what has been captured of it after all the orders."""

    customer_id: str
    limit_minor: int
    captured_minor: int


def _order(customer_id: str, lines: Mapping[str, int]) -> NewOrder:
    wanted = tuple(Line(sku=sku, quantity=quantity) for sku, quantity in lines.items())
    return NewOrder(customer_id=customer_id, currency="EUR", lines=wanted)


STOCKS: Final = (
    Stock("LAMP-1", price_minor=4_900, currency="EUR", before=10, after=8),
    Stock("MUG-1", price_minor=900, currency="EUR", before=100, after=97),
    Stock("SOFA-1", price_minor=150_000, currency="EUR", before=5, after=5),
    Stock("RUG-9", price_minor=20_000, currency="USD", before=5, after=5),
)

CREDITS: Final = (
    Credit("alice", limit_minor=100_000, captured_minor=2 * 4_900 + 3 * 900),
    Credit("bob", limit_minor=10_000, captured_minor=0),
)

CASES: Final = (
    Case("completed", _order("alice", {"LAMP-1": 2, "MUG-1": 1}), "CONFIRMED"),
    Case("same key twice", _order("alice", {"MUG-1": 2}), "CONFIRMED", key="basket-17"),
    Case("out of stock", _order("alice", {"LAMP-1": 50}), "REJECTED", "out_of_stock"),
    Case(
        "unknown SKU",
        _order("alice", {"NO-SUCH-SKU": 1}),
        "REJECTED",
        "unknown_sku",
    ),
    Case(
        "SKU priced in USD",
        _order("alice", {"MUG-1": 1, "RUG-9": 1}),
        "REJECTED",
        "other_currency",
    ),
    Case(
        "credit exceeded",
        _order("bob", {"SOFA-1": 1}),
        "REJECTED",
        "credit_exceeded",
    ),
)

_LINES = b'"lines": [{"sku": "MUG-1", "quantity": 1}]'
BAD_REQUESTS: Final = (
    BadRequest(
        "quantity 0",
        b'{"customer_id": "alice", "currency": "EUR", "lines": [{"sku": "MUG-1", "quantity": 0}]}',
        422,
        "quantity",
    ),
    BadRequest(
        "a SKU in two lines",
        b'{"customer_id": "alice", "currency": "EUR", "lines": '
        b'[{"sku": "MUG-1", "quantity": 1}, {"sku": "MUG-1", "quantity": 2}]}',
        422,
        "lines",
    ),
    BadRequest(
        "unknown currency",
        b'{"customer_id": "alice", "currency": "XXL", ' + _LINES + b"}",
        422,
        "currency",
    ),
    BadRequest(
        "unknown field",
        b'{"customer_id": "alice", "currency": "EUR", "coupon": "X", ' + _LINES + b"}",
        422,
        "coupon",
    ),
    BadRequest("broken JSON", b'{"customer_id": "alice", "curr', 400, "JSON"),
)
KEY_REUSED: Final = BadRequest(
    "that key, another order",
    b'{"customer_id": "alice", "currency": "EUR", "lines": [{"sku": "MUG-1", "quantity": 9}]}',
    422,
    "basket-17",
)
