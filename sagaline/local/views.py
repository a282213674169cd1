"""What the services' HTTP answers say, as far as this package looks at it; more may be in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

OrderStatus = Literal["PENDING", "CONFIRMED", "REJECTED"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Line(_View):
    """`quantity` units of one SKU."""

    sku: str
    quantity: int


class NewOrder(_View):
    """What is posted to the gateway."""

    customer_id: str
    currency: str
    lines: tuple[Line, ...]


class Reason(_View):
    """Why an order was rejected: the refused step, and the refusal."""

    step: str | None = None
    code: str | None = None
    detail: str | None = None


class SagaSummary(_View):
    """The saga of an order, in short."""

    saga_id: UUID
    state: str
    sequence: int


class Order(_View):
    """`GET /orders/{id}` at the gateway."""

    order_id: UUID
    customer_id: str
    currency: str
    lines: tuple[Line, ...]
    status: OrderStatus
    reason: Reason | None
    placed_at: datetime
    ended_at: datetime | None
    saga: SagaSummary | None

    @property
    def has_ended(self) -> bool:
        """Whether the customer's answer is final."""
        return self.status != "PENDING"


class Step(_View):
    """One step of a saga; `PLANNED` if the saga has not come to it."""

    name: str
    kind: str
    status: str
    direction: str | None = None
    attempts: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    detail: str | None = None
    stalled: bool = False
    parked: bool = False


class Saga(_View):
    """`GET /orders/{id}/saga` at the gateway, `GET /sagas/{id}` at the orchestrator."""

    saga_id: UUID | None  # this and what else may be None: nothing was heard of the saga yet
    order_id: UUID = Field(validation_alias=AliasChoices("order_id", "key"))
    definition: str | None
    version: int | None = Field(validation_alias=AliasChoices("version", "definition_version"))
    state: str
    sequence: int
    started_at: datetime | None = None
    updated_at: datetime | None = None
    steps: tuple[Step, ...]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ("COMPLETED", "COMPENSATED", "RESOLVED_MANUALLY")


class OrderPage(_View):
    """`GET /orders` at the gateway; `next` is the cursor of the following page."""

    orders: tuple[Order, ...]
    next: str | None


class Progress(_View):
    """An event of `GET /orders/{id}/events` at the gateway."""

    order: Order
    saga: Saga


class Shelf(_View):
    """`GET /stock/{sku}` at inventory."""

    sku: str
    on_hand: int
    reserved: int
    price_minor: int
    currency: str


class Account(_View):
    """`GET /accounts/{customer_id}` at payment."""

    customer_id: str
    limit_minor: int
    currency: str
    authorized_minor: int
    captured_minor: int


class OwnBooks(_View):
    """What the books of any service say of themselves."""

    balanced: bool
    problems: tuple[str, ...]


class OrderBooks(OwnBooks):
    """`GET /books` at order; money by currency."""

    orders: Mapping[str, int]
    confirmed_minor: Mapping[str, int]


class InventoryBooks(OwnBooks):
    """`GET /books` at inventory; money by currency."""

    committed_minor: Mapping[str, int]
    open_reservations: int


class PaymentBooks(OwnBooks):
    """`GET /books` at payment; money by currency."""

    captured_minor: Mapping[str, int]
    open_authorizations: int


class NotificationBooks(OwnBooks):
    """`GET /books` at notification."""

    confirmations: int
    rejections: int
