"""A saga about what `place-order` is about, one step after the other, with small messages.

`TRIP` has what that one lacks: compensatable steps side by side, and nothing to say at the end.
"""

from dataclasses import dataclass
from typing import ClassVar

from sagaline.engine.definition import Refusal, Saga, compensatable, parallel, pivot, retriable


@dataclass(frozen=True)
class Message:
    avro_name: ClassVar[str]
    outcome: ClassVar[str | None] = None
    replies: ClassVar[tuple[str, ...]] = ()
    order_id: str


@dataclass(frozen=True)
class Order(Message):
    avro_name = "shop.Order"
    sku: str = "LAMP-1"


@dataclass(frozen=True)
class Create(Message):
    avro_name = "shop.Create"
    replies = ("shop.Created", "shop.CreationRefused")


@dataclass(frozen=True)
class Created(Message):
    avro_name = "shop.Created"
    outcome = "succeeded"


@dataclass(frozen=True)
class CreationRefused(Message):
    avro_name = "shop.CreationRefused"
    outcome = "refused"
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Reject(Message):
    avro_name = "shop.Reject"
    replies = ("shop.Rejected",)


@dataclass(frozen=True)
class Rejected(Message):
    avro_name = "shop.Rejected"
    outcome = "undone"


@dataclass(frozen=True)
class Reserve(Message):
    avro_name = "shop.Reserve"
    replies = ("shop.Reserved", "shop.OutOfStock")
    sku: str


@dataclass(frozen=True)
class Reserved(Message):
    avro_name = "shop.Reserved"
    outcome = "succeeded"
    total_minor: int


@dataclass(frozen=True)
class OutOfStock(Message):
    avro_name = "shop.OutOfStock"
    outcome = "refused"
    code: str
    detail: str


@dataclass(frozen=True)
class Release(Message):
    avro_name = "shop.Release"
    replies = ("shop.Released",)


@dataclass(frozen=True)
class Released(Message):
    avro_name = "shop.Released"
    outcome = "undone"


@dataclass(frozen=True)
class Authorize(Message):
    avro_name = "shop.Authorize"
    replies = ("shop.Authorized", "shop.Declined")
    amount_minor: int


@dataclass(frozen=True)
class Authorized(Message):
    avro_name = "shop.Authorized"
    outcome = "succeeded"


@dataclass(frozen=True)
class Declined(Message):
    avro_name = "shop.Declined"
    outcome = "refused"
    code: str
    detail: str


@dataclass(frozen=True)
class Void(Message):
    avro_name = "shop.Void"
    replies = ("shop.Voided", "shop.VoidRefused")


@dataclass(frozen=True)
class Voided(Message):
    avro_name = "shop.Voided"
    outcome = "undone"


@dataclass(frozen=True)
class VoidRefused(Message):
    avro_name = "shop.VoidRefused"
    outcome = "undo_refused"
    code: str
    detail: str


@dataclass(frozen=True)
class Confirm(Message):
    avro_name = "shop.Confirm"
    replies = ("shop.Confirmed", "shop.ConfirmationRefused")
    total_minor: int


@dataclass(frozen=True)
class Confirmed(Message):
    avro_name = "shop.Confirmed"
    outcome = "succeeded"


@dataclass(frozen=True)
class ConfirmationRefused(Message):
    avro_name = "shop.ConfirmationRefused"
    outcome = "refused"
    code: str
    detail: str


@dataclass(frozen=True)
class Commit(Message):
    avro_name = "shop.Commit"
    replies = ("shop.Committed",)


@dataclass(frozen=True)
class Committed(Message):
    avro_name = "shop.Committed"
    outcome = "succeeded"


@dataclass(frozen=True)
class Capture(Message):
    avro_name = "shop.Capture"
    replies = ("shop.Captured",)


@dataclass(frozen=True)
class Captured(Message):
    avro_name = "shop.Captured"
    outcome = "succeeded"


@dataclass(frozen=True)
class Tell(Message):
    avro_name = "shop.Tell"
    replies = ("shop.Told",)
    text: str


@dataclass(frozen=True)
class Told(Message):
    avro_name = "shop.Told"
    outcome = "succeeded"


def create(order: Order) -> Create:
    return Create(order.order_id)


def reject(order: Order) -> Reject:
    return Reject(order.order_id)


def reserve(order: Order) -> Reserve:
    return Reserve(order.order_id, order.sku)


def release(order: Order) -> Release:
    return Release(order.order_id)


def authorize(order: Order, stock: Reserved) -> Authorize:
    return Authorize(order.order_id, stock.total_minor)


def void(order: Order, stock: Reserved) -> Void:
    assert stock.total_minor > 0  # it has no use for the amount, but it could have
    return Void(order.order_id)


def confirm(order: Order, stock: Reserved) -> Confirm:
    return Confirm(order.order_id, stock.total_minor)


def commit(order: Order) -> Commit:
    return Commit(order.order_id)


def capture(order: Order) -> Capture:
    return Capture(order.order_id)


def congratulate(order: Order, stock: Reserved) -> Tell:
    return Tell(order.order_id, f"you owe {stock.total_minor}")


def regret(order: Order, refusal: Refusal) -> Tell:
    return Tell(order.order_id, f"{refusal.step}: {refusal.code}")


PLACE_ORDER = Saga(
    "place-order",
    version=1,
    steps=(
        compensatable("create_order", create, undo=reject),
        compensatable("reserve_stock", reserve, undo=release),
        compensatable("authorize_payment", authorize, undo=void),
        pivot("confirm_order", confirm),
        parallel(
            retriable("commit_stock", commit),
            retriable("capture_payment", capture),
            retriable("send_confirmation", congratulate),
        ),
    ),
    when_compensated=(retriable("send_rejection", regret),),
)


def authorize_blindly(order: Order) -> Authorize:
    return Authorize(order.order_id, 1)


def void_blindly(order: Order) -> Void:
    return Void(order.order_id)


def confirm_both(order: Order, stock: Reserved) -> Confirm:
    return Confirm(order.order_id, stock.total_minor)


TRIP = Saga(
    "trip",
    version=1,
    steps=(
        compensatable("create_order", create, undo=reject),
        parallel(
            compensatable("reserve_stock", reserve, undo=release),
            compensatable("authorize_payment", authorize_blindly, undo=void_blindly),
        ),
        pivot("confirm_order", confirm_both),
    ),
)
AN_ORDER = Order("4711")
