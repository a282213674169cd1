"""The JSON documents of orders. Requests are strict: no unknown fields, no "1" where 1 is meant."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator
from pydantic_core import PydanticCustomError

from gateway_service import domain
from schemas.currencies import Currency

LINES_MAX: Final = 100
QUANTITY_MAX: Final = 10_000

AN_ORDER_ID: Final = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"
AN_ORDER: Final[dict[str, JsonValue]] = {
    "customer_id": "c-1001",
    "currency": "EUR",
    "lines": [{"sku": "LAMP-1", "quantity": 2}, {"sku": "DESK-3", "quantity": 1}],
}
LINKS: Final[dict[str, JsonValue]] = {
    "self": f"/orders/{AN_ORDER_ID}",
    "saga": f"/orders/{AN_ORDER_ID}/saga",
}
AN_ORDER_SHOWN: Final[dict[str, JsonValue]] = {
    "order_id": AN_ORDER_ID,
    **AN_ORDER,
    "status": "REJECTED",
    "reason": {
        "step": "reserve_stock",
        "code": "out_of_stock",
        "detail": "1 of DESK-3 was ordered, 0 are free.",
    },
    "placed_at": "2026-11-22T12:00:00.000000Z",
    "ended_at": "2026-11-22T12:00:00.091000Z",
    "saga": {
        "saga_id": "6f4a0a55-5c0b-5b5e-9b0e-3d8f3f2b7a10",
        "state": "COMPENSATED",
        "sequence": 7,
    },
    "links": LINKS,
}

# As the accounts' and shelves' own endpoints take them.
CustomerId: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@:-]{0,63}$", description="1 to 64 characters.")
]
Sku: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="1 to 64 characters.")
]


class NewLine(BaseModel):
    """So many units of one SKU."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sku: Sku
    quantity: int = Field(ge=1, le=QUANTITY_MAX, description="Whole units.")


class NewOrder(BaseModel):
    """What a customer asks for."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [AN_ORDER]}
    )

    customer_id: CustomerId
    currency: Currency = Field(description="ISO 4217 code; every SKU must be priced in it.")
    lines: list[NewLine] = Field(
        min_length=1, max_length=LINES_MAX, description="Each SKU once, in any order."
    )

    @field_validator("lines")
    @classmethod
    def _each_sku_once(cls, lines: list[NewLine]) -> list[NewLine]:
        sku = domain.first_repeated(line.sku for line in lines)
        if sku is not None:
            raise PydanticCustomError("sku_repeated", "SKU {sku} stands in two lines", {"sku": sku})
        return lines

    def order(self) -> domain.Order:
        """The order that is asked for."""
        lines = tuple(domain.Line(line.sku, line.quantity) for line in self.lines)
        return domain.Order(self.customer_id, self.currency, lines)


class Links(BaseModel):
    """Where the order, and how its saga goes on, can be read."""

    self: str
    saga: str

    @classmethod
    def of(cls, order_id: UUID) -> "Links":
        """The links of an order."""
        return cls(self=f"/orders/{order_id}", saga=f"/orders/{order_id}/saga")


class OrderAccepted(BaseModel):
    """The order will be confirmed or rejected; its links tell when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"order_id": AN_ORDER_ID, "status": "PENDING", "links": LINKS}]
        }
    )

    order_id: UUID
    status: Literal["PENDING"] = "PENDING"
    links: Links

    @classmethod
    def of(cls, order_id: UUID) -> "OrderAccepted":
        """The answer to a request that got this order."""
        return cls(order_id=order_id, links=Links.of(order_id))


class LineShown(BaseModel):
    """So many units of one SKU."""

    sku: str
    quantity: int


class Reason(BaseModel):
    """Why an order is, or is going to be, rejected: the first refusal of its saga."""

    step: str | None
    code: str | None
    detail: str | None


class SagaBrief(BaseModel):
    """The order's saga in brief; it may go on after the order is CONFIRMED."""

    saga_id: UUID
    state: str
    sequence: int = Field(description="Grows with each change that is told.")


class OrderShown(BaseModel):
    """An order and how it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [AN_ORDER_SHOWN]})

    order_id: UUID
    customer_id: str
    currency: str
    lines: list[LineShown]
    status: domain.Status
    reason: Reason | None = Field(description="None as long as nothing was refused.")
    placed_at: datetime
    ended_at: datetime | None = Field(description="When CONFIRMED or REJECTED was first shown.")
    saga: SagaBrief | None = Field(description="None until it was heard of.")
    links: Links

    @classmethod
    def of(cls, placed: domain.PlacedOrder) -> "OrderShown":
        """The order as it is shown."""
        order, view = placed.order, placed.view
        return cls(
            order_id=placed.order_id,
            customer_id=order.customer_id,
            currency=order.currency,
            lines=[LineShown(sku=line.sku, quantity=line.quantity) for line in order.lines],
            status=placed.status,
            reason=_reason(view),
            placed_at=placed.placed_at,
            ended_at=None if view is None else view.ended_at,
            saga=None if view is None else _brief(view),
            links=Links.of(placed.order_id),
        )


def _reason(view: domain.View | None) -> Reason | None:
    # Past the pivot a refusal changes nothing for the customer: it is the operators' business.
    if view is None or view.code is None or view.status == "CONFIRMED":
        return None
    return Reason(step=view.failed_step, code=view.code, detail=view.detail)


def _brief(view: domain.View) -> SagaBrief:
    return SagaBrief(saga_id=view.saga_id, state=view.state, sequence=view.sequence)


class OrderPage(BaseModel):
    """Some orders, the newest first; `next` is the cursor of those that follow.

    A page may be shorter than was asked for, and even empty, and still have a `next`.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"orders": [AN_ORDER_SHOWN], "next": None}]}
    )

    orders: list[OrderShown]
    next: str | None
