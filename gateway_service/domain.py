"""What the front door decides: whose an idempotency key is, and what a saga means to a customer.

A refusal is a value; an exception that leaves this module is a bug. What the request may hold at
all is checked before, in `documents`; prices, stock and credit are other services' business.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

Slot: TypeAlias = tuple[str, str]  # customer id, that customer's idempotency key
Status: TypeAlias = Literal["PENDING", "CONFIRMED", "REJECTED"]

ENDS: Final = frozenset({"COMPLETED", "COMPENSATED", "RESOLVED_MANUALLY"})  # states of sagas


@dataclass(frozen=True, slots=True)
class Line:
    """So many whole units of one SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer asks for."""

    customer_id: str
    currency: str
    lines: tuple[Line, ...]

    def fingerprint(self) -> bytes:
        """SHA-256 of the canonical form: equal for equal orders, however their JSON was written."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).digest()


@dataclass(frozen=True, slots=True)
class Request:
    """An order at the door, under the id that it gets if it turns out to be a new one."""

    order_id: UUID
    order: Order
    key: str | None  # the customer's idempotency key
    placed_at: datetime
    traceparent: str

    @property
    def placed(self) -> "PlacedOrder":
        """The order as it stands when it is accepted; nobody has heard of a saga of it yet."""
        return PlacedOrder(self.order_id, self.order, self.placed_at, view=None)

    @property
    def fingerprint(self) -> bytes:
        """The order's: by it a repeated request is told from another one."""
        return self.order.fingerprint()

    @property
    def slot(self) -> Slot | None:
        """The idempotency key together with whose it is; without a key each request is new."""
        return None if self.key is None else (self.order.customer_id, self.key)


@dataclass(frozen=True, slots=True)
class Owner:
    """The request that an idempotency key belongs to."""

    order_id: UUID
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request has this order; `placed` unless an earlier request with its key made it."""

    order_id: UUID
    placed: "PlacedOrder | None"


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The customer used this key before, for a different order."""

    key: str


@dataclass(frozen=True, slots=True)
class KeyHeld:
    """Another request with this key is being written, and what comes of it is not known yet."""

    key: str


Answer: TypeAlias = Accepted | KeyReused | KeyHeld


class View(NamedTuple):
    """How an order's saga stood at this sequence.

    `ended_at` is when the order was first shown as CONFIRMED or REJECTED. `failed_step`, `code` and
    `detail` are the saga's first refusal. `steps` is a JSON array, as the snapshot has them.
    """

    order_id: UUID
    sequence: int
    status: Status
    saga_id: UUID
    definition: str
    version: int
    state: str
    failed_step: str | None
    code: str | None
    detail: str | None
    steps: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An accepted order, and how it stands; `view` is missing until its saga was heard of."""

    order_id: UUID
    order: Order
    placed_at: datetime
    view: View | None

    @property
    def status(self) -> Status:
        """PENDING until its saga says otherwise."""
        return "PENDING" if self.view is None else self.view.status

    @property
    def sequence(self) -> int:
        """Its saga's, which grows with each change; 0 before anything was heard of it."""
        return 0 if self.view is None else self.view.sequence

    @property
    def saga_has_ended(self) -> bool:
        """Whether nothing more happens by itself, which is later than the customer's answer."""
        return self.view is not None and self.view.state in ENDS


class Numbered(Protocol):
    """Something about a key, such as a snapshot; the highest sequence is the truth."""

    @property
    def key(self) -> str:
        """What it is about."""
        ...

    @property
    def sequence(self) -> int:
        """Its place among those of its key."""
        ...


N = TypeVar("N", bound=Numbered)


def claimants(requests: Iterable[Request]) -> dict[Slot, Request]:
    """Of each idempotency key the first request: it owns the key unless someone did before."""
    first: dict[Slot, Request] = {}
    for request in requests:
        if request.slot is not None:
            first.setdefault(request.slot, request)
    return first


def answer(request: Request, owners: Mapping[Slot, Owner]) -> Answer:
    """What becomes of the request, given who owns its key; a key without an owner is held."""
    if request.slot is None or request.key is None:
        return Accepted(request.order_id, request.placed)
    owner = owners.get(request.slot)
    if owner is None:
        return KeyHeld(request.key)
    if owner.fingerprint != request.fingerprint:
        return KeyReused(request.key)
    own = owner.order_id == request.order_id
    return Accepted(owner.order_id, request.placed if own else None)


def first_repeated(skus: Iterable[str]) -> str | None:
    """The first SKU that stands there a second time, if any does."""
    seen: set[str] = set()
    for sku in skus:
        if sku in seen:
            return sku
        seen.add(sku)
    return None


def newest(numbered: Iterable[N]) -> list[N]:
    """Of each key the one with the highest sequence, in whatever order they came."""
    by_key: dict[str, N] = {}
    for each in numbered:
        known = by_key.setdefault(each.key, each)
        if known.sequence < each.sequence:
            by_key[each.key] = each
    return list(by_key.values())


def status(verdict: str) -> Status:
    """How an order stands whose saga has this verdict."""
    match verdict:
        case "committed":
            return "CONFIRMED"
        case "compensated":
            return "REJECTED"
        case _:
            return "PENDING"


def has_ended(view: View | None) -> bool:
    """Whether the customer's answer is final in this view."""
    return view is not None and view.status != "PENDING"
