"""Generated from Avro schemas by `python -m schemas.generate`: edit those, not this."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final
from uuid import UUID

from pydantic import Field

from schemas.message import Int32, Int64, Message, Part, UtcTime


class CommitStock(Message):
    """Take what is reserved for the order off the shelves for good."""

    avro_name: ClassVar[str] = "inventory.commands.CommitStock"
    fingerprint: ClassVar[bytes] = bytes.fromhex("fd417615204cb364")
    replies: ClassVar[tuple[str, ...]] = ("inventory.replies.StockCommitted",)

    order_id: UUID = Field(description="Key: the order that this is about.")


class ReleaseStock(Message):
    """Undo ReserveStock: what is reserved for the order is free again."""

    avro_name: ClassVar[str] = "inventory.commands.ReleaseStock"
    fingerprint: ClassVar[bytes] = bytes.fromhex("b560fea5091234a1")
    replies: ClassVar[tuple[str, ...]] = ("inventory.replies.StockReleased",)

    order_id: UUID = Field(description="Key: the order that this is about.")


class OrderLine(Part):
    """One SKU of an order."""

    sku: str = Field(description="What is ordered.")
    quantity: Int32 = Field(description="Whole units, at least 1.")


class ReserveStock(Message):
    """Reserve all lines of the order, or none, and price them."""

    avro_name: ClassVar[str] = "inventory.commands.ReserveStock"
    fingerprint: ClassVar[bytes] = bytes.fromhex("4b551078ddc60d62")
    replies: ClassVar[tuple[str, ...]] = (
        "inventory.replies.StockReserved",
        "inventory.replies.StockRefused",
    )

    order_id: UUID = Field(description="Key: the order that this is about.")
    currency: str = Field(description="ISO 4217 code that all prices must have.")
    lines: tuple[OrderLine, ...] = Field(description="What is ordered; each SKU once.")


class StockCommitted(Message):
    """What was reserved has left the shelves."""

    avro_name: ClassVar[str] = "inventory.replies.StockCommitted"
    fingerprint: ClassVar[bytes] = bytes.fromhex("d070ce34c494680c")
    outcome: ClassVar[str | None] = "succeeded"

    order_id: UUID = Field(description="Key: the order that this is about.")


class StockRefused(Message):
    """Nothing was reserved for ReserveStock."""

    avro_name: ClassVar[str] = "inventory.replies.StockRefused"
    fingerprint: ClassVar[bytes] = bytes.fromhex("2b8d6a7edb62de9f")
    outcome: ClassVar[str | None] = "refused"

    order_id: UUID = Field(description="Key: the order that this is about.")
    sku: str = Field(description="First line that can't be met.")
    code: str = Field(description="unknown_sku, out_of_stock or other_currency.")
    detail: str = Field(description="The same in a sentence, for people.")


class StockReleased(Message):
    """Nothing is reserved for the order any more."""

    avro_name: ClassVar[str] = "inventory.replies.StockReleased"
    fingerprint: ClassVar[bytes] = bytes.fromhex("ce60aaae2def7e6d")
    outcome: ClassVar[str | None] = "undone"

    order_id: UUID = Field(description="Key: the order that this is about.")


class PricedLine(Part):
    """One SKU of an order, with its price."""

    sku: str = Field(description="What is reserved.")
    quantity: Int32 = Field(description="Whole units, at least 1.")
    price_minor: Int64 = Field(description="Price of one unit.")


class StockReserved(Message):
    """All lines are reserved, at these prices."""

    avro_name: ClassVar[str] = "inventory.replies.StockReserved"
    fingerprint: ClassVar[bytes] = bytes.fromhex("f16bca00a24ca4c5")
    outcome: ClassVar[str | None] = "succeeded"

    order_id: UUID = Field(description="Key: the order that this is about.")
    lines: tuple[PricedLine, ...] = Field(description="What is reserved, as ordered.")
    total_minor: Int64 = Field(description="Prices times quantities, all lines together.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")


class SendConfirmation(Message):
    """Tell the customer that the order is confirmed."""

    avro_name: ClassVar[str] = "notifications.commands.SendConfirmation"
    fingerprint: ClassVar[bytes] = bytes.fromhex("2ec5af73ed0c72bc")
    replies: ClassVar[tuple[str, ...]] = ("notifications.replies.NotificationSent",)

    order_id: UUID = Field(description="Key: the order that this is about.")
    customer_id: str = Field(description="Whose order it is; a pseudonym to us.")
    total_minor: Int64 = Field(description="What the customer owes, all lines together.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")


class SendRejection(Message):
    """Tell the customer that the order was rejected, and why."""

    avro_name: ClassVar[str] = "notifications.commands.SendRejection"
    fingerprint: ClassVar[bytes] = bytes.fromhex("ff3dac740922f2ec")
    replies: ClassVar[tuple[str, ...]] = ("notifications.replies.NotificationSent",)

    order_id: UUID = Field(description="Key: the order that this is about.")
    customer_id: str = Field(description="Whose order it is; a pseudonym to us.")
    code: str = Field(description="Code of the refusal that ended the order.")
    detail: str = Field(description="The same in a sentence, for people.")


class NotificationSent(Message):
    """The customer was told."""

    avro_name: ClassVar[str] = "notifications.replies.NotificationSent"
    fingerprint: ClassVar[bytes] = bytes.fromhex("bb03c2e1497a112a")
    outcome: ClassVar[str | None] = "succeeded"

    order_id: UUID = Field(description="Key: the order that this is about.")
    notification_id: UUID = Field(
        description="The message to the customer, as the service keeps it."
    )


class ConfirmOrder(Message):
    """The pivot: the order is CONFIRMED and is not given up any more."""

    avro_name: ClassVar[str] = "orders.commands.ConfirmOrder"
    fingerprint: ClassVar[bytes] = bytes.fromhex("7a7750c623235dd2")
    replies: ClassVar[tuple[str, ...]] = (
        "orders.replies.OrderMarkedConfirmed",
        "orders.replies.OrderConfirmationRefused",
    )

    order_id: UUID = Field(description="Key: the order that this is about.")
    total_minor: Int64 = Field(description="What the customer owes, all lines together.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")


class CreateOrder(Message):
    """Keep the order as PENDING."""

    avro_name: ClassVar[str] = "orders.commands.CreateOrder"
    fingerprint: ClassVar[bytes] = bytes.fromhex("07d8eeda416e773d")
    replies: ClassVar[tuple[str, ...]] = (
        "orders.replies.OrderCreated",
        "orders.replies.OrderCreationRefused",
    )

    order_id: UUID = Field(description="Key: the order that this is about.")
    customer_id: str = Field(description="Whose order it is; a pseudonym to us.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")
    lines: tuple[OrderLine, ...] = Field(description="What is ordered; each SKU once.")
    placed_at: UtcTime = Field(description="When the gateway accepted it.")


class RejectOrder(Message):
    """Undo CreateOrder: the order ends REJECTED."""

    avro_name: ClassVar[str] = "orders.commands.RejectOrder"
    fingerprint: ClassVar[bytes] = bytes.fromhex("dbc69d3135a72971")
    replies: ClassVar[tuple[str, ...]] = ("orders.replies.OrderMarkedRejected",)

    order_id: UUID = Field(description="Key: the order that this is about.")


class OrderConfirmed(Message):
    """An order became CONFIRMED: everything it needs is promised."""

    avro_name: ClassVar[str] = "orders.events.OrderConfirmed"
    fingerprint: ClassVar[bytes] = bytes.fromhex("fc3e4c17e4baf947")

    order_id: UUID = Field(description="Key: the order that this is about.")
    customer_id: str = Field(description="Whose order it is; a pseudonym to us.")
    total_minor: Int64 = Field(description="What the customer owes, all lines together.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")
    confirmed_at: UtcTime = Field(description="When the order service confirmed it.")


class OrderRejected(Message):
    """An order ended REJECTED: everything done for it is undone."""

    avro_name: ClassVar[str] = "orders.events.OrderRejected"
    fingerprint: ClassVar[bytes] = bytes.fromhex("d0228b3799f3682d")

    order_id: UUID = Field(description="Key: the order that this is about.")
    customer_id: str = Field(description="Whose order it is; a pseudonym to us.")
    rejected_at: UtcTime = Field(description="When the order service rejected it.")


class OrderConfirmationRefused(Message):
    """ConfirmOrder changed nothing; the saga goes backward."""

    avro_name: ClassVar[str] = "orders.replies.OrderConfirmationRefused"
    fingerprint: ClassVar[bytes] = bytes.fromhex("43ed53031eae85ca")
    outcome: ClassVar[str | None] = "refused"

    order_id: UUID = Field(description="Key: the order that this is about.")
    code: str = Field(description="Why, for programs.")
    detail: str = Field(description="The same in a sentence, for people.")


class OrderCreated(Message):
    """The order is kept as PENDING."""

    avro_name: ClassVar[str] = "orders.replies.OrderCreated"
    fingerprint: ClassVar[bytes] = bytes.fromhex("08baf1855e36e21f")
    outcome: ClassVar[str | None] = "succeeded"

    order_id: UUID = Field(description="Key: the order that this is about.")


class OrderCreationRefused(Message):
    """CreateOrder kept nothing."""

    avro_name: ClassVar[str] = "orders.replies.OrderCreationRefused"
    fingerprint: ClassVar[bytes] = bytes.fromhex("85aad9931b473e42")
    outcome: ClassVar[str | None] = "refused"

    order_id: UUID = Field(description="Key: the order that this is about.")
    code: str = Field(description="Why, for programs.")
    detail: str = Field(description="The same in a sentence, for people.")


class OrderMarkedConfirmed(Message):
    """The order is CONFIRMED."""

    avro_name: ClassVar[str] = "orders.replies.OrderMarkedConfirmed"
    fingerprint: ClassVar[bytes] = bytes.fromhex("6ad3a290fbb3a121")
    outcome: ClassVar[str | None] = "succeeded"

    order_id: UUID = Field(description="Key: the order that this is about.")


class OrderMarkedRejected(Message):
    """The order has ended REJECTED."""

    avro_name: ClassVar[str] = "orders.replies.OrderMarkedRejected"
    fingerprint: ClassVar[bytes] = bytes.fromhex("0bf259d8eaac8489")
    outcome: ClassVar[str | None] = "undone"

    order_id: UUID = Field(description="Key: the order that this is about.")


class PlaceOrder(Message):
    """A customer's order was accepted at the door; its saga is to start."""

    avro_name: ClassVar[str] = "orders.requests.PlaceOrder"
    fingerprint: ClassVar[bytes] = bytes.fromhex("75a8dcf3b58097b5")

    order_id: UUID = Field(description="Key: the order that this is about.")
    customer_id: str = Field(description="Whose order it is; a pseudonym to us.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")
    lines: tuple[OrderLine, ...] = Field(description="What is ordered; each SKU once.")
    placed_at: UtcTime = Field(description="When the gateway accepted it.")


class AuthorizePayment(Message):
    """Hold the amount on the customer's account."""

    avro_name: ClassVar[str] = "payments.commands.AuthorizePayment"
    fingerprint: ClassVar[bytes] = bytes.fromhex("5b6614c75dc9f397")
    replies: ClassVar[tuple[str, ...]] = (
        "payments.replies.PaymentAuthorized",
        "payments.replies.PaymentRefused",
    )

    order_id: UUID = Field(description="Key: the order that this is about.")
    customer_id: str = Field(description="Whose order it is; a pseudonym to us.")
    amount_minor: Int64 = Field(description="What to hold.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")


class CapturePayment(Message):
    """Take the amount that is held for the order."""

    avro_name: ClassVar[str] = "payments.commands.CapturePayment"
    fingerprint: ClassVar[bytes] = bytes.fromhex("23e2eac13c3fd71e")
    replies: ClassVar[tuple[str, ...]] = ("payments.replies.PaymentCaptured",)

    order_id: UUID = Field(description="Key: the order that this is about.")


class VoidPayment(Message):
    """Undo AuthorizePayment: the amount is free again."""

    avro_name: ClassVar[str] = "payments.commands.VoidPayment"
    fingerprint: ClassVar[bytes] = bytes.fromhex("5fd0fe3538314710")
    replies: ClassVar[tuple[str, ...]] = ("payments.replies.PaymentVoided",)

    order_id: UUID = Field(description="Key: the order that this is about.")


class PaymentAuthorized(Message):
    """The amount is held for the order."""

    avro_name: ClassVar[str] = "payments.replies.PaymentAuthorized"
    fingerprint: ClassVar[bytes] = bytes.fromhex("3ce71c050e005180")
    outcome: ClassVar[str | None] = "succeeded"

    order_id: UUID = Field(description="Key: the order that this is about.")


class PaymentCaptured(Message):
    """The amount held for the order was taken."""

    avro_name: ClassVar[str] = "payments.replies.PaymentCaptured"
    fingerprint: ClassVar[bytes] = bytes.fromhex("979f68ddba058d50")
    outcome: ClassVar[str | None] = "succeeded"

    order_id: UUID = Field(description="Key: the order that this is about.")
    amount_minor: Int64 = Field(description="What was taken.")
    currency: str = Field(description="ISO 4217 code of all amounts here.")


class PaymentRefused(Message):
    """Nothing is held for AuthorizePayment."""

    avro_name: ClassVar[str] = "payments.replies.PaymentRefused"
    fingerprint: ClassVar[bytes] = bytes.fromhex("07aef4fe24ae6739")
    outcome: ClassVar[str | None] = "refused"

    order_id: UUID = Field(description="Key: the order that this is about.")
    code: str = Field(description="credit_exceeded or other_currency.")
    detail: str = Field(description="The same in a sentence, for people.")


class PaymentVoided(Message):
    """Nothing is held for the order any more."""

    avro_name: ClassVar[str] = "payments.replies.PaymentVoided"
    fingerprint: ClassVar[bytes] = bytes.fromhex("c671af1e8e658e42")
    outcome: ClassVar[str | None] = "undone"

    order_id: UUID = Field(description="Key: the order that this is about.")


MESSAGES: Final[tuple[type[Message], ...]] = (
    CommitStock,
    ReleaseStock,
    ReserveStock,
    StockCommitted,
    StockRefused,
    StockReleased,
    StockReserved,
    SendConfirmation,
    SendRejection,
    NotificationSent,
    ConfirmOrder,
    CreateOrder,
    RejectOrder,
    OrderConfirmed,
    OrderRejected,
    OrderConfirmationRefused,
    OrderCreated,
    OrderCreationRefused,
    OrderMarkedConfirmed,
    OrderMarkedRejected,
    PlaceOrder,
    AuthorizePayment,
    CapturePayment,
    VoidPayment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentRefused,
    PaymentVoided,
)

# The file of each schema that a record may be written in, by hexadecimal fingerprint.
WRITERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "07aef4fe24ae6739": "avro/payments.replies.PaymentRefused.avsc",
        "07d8eeda416e773d": "avro/orders.commands.CreateOrder.avsc",
        "08baf1855e36e21f": "avro/orders.replies.OrderCreated.avsc",
        "0bf259d8eaac8489": "avro/orders.replies.OrderMarkedRejected.avsc",
        "23e2eac13c3fd71e": "avro/payments.commands.CapturePayment.avsc",
        "2b8d6a7edb62de9f": "avro/inventory.replies.StockRefused.avsc",
        "2ec5af73ed0c72bc": "avro/notifications.commands.SendConfirmation.avsc",
        "3ce71c050e005180": "avro/payments.replies.PaymentAuthorized.avsc",
        "43ed53031eae85ca": "avro/orders.replies.OrderConfirmationRefused.avsc",
        "4b551078ddc60d62": "avro/inventory.commands.ReserveStock.avsc",
        "5b6614c75dc9f397": "avro/payments.commands.AuthorizePayment.avsc",
        "5fd0fe3538314710": "avro/payments.commands.VoidPayment.avsc",
        "6ad3a290fbb3a121": "avro/orders.replies.OrderMarkedConfirmed.avsc",
        "75a8dcf3b58097b5": "avro/orders.requests.PlaceOrder.avsc",
        "7a7750c623235dd2": "avro/orders.commands.ConfirmOrder.avsc",
        "85aad9931b473e42": "avro/orders.replies.OrderCreationRefused.avsc",
        "979f68ddba058d50": "avro/payments.replies.PaymentCaptured.avsc",
        "b560fea5091234a1": "avro/inventory.commands.ReleaseStock.avsc",
        "bb03c2e1497a112a": "avro/notifications.replies.NotificationSent.avsc",
        "c671af1e8e658e42": "avro/payments.replies.PaymentVoided.avsc",
        "ce60aaae2def7e6d": "avro/inventory.replies.StockReleased.avsc",
        "d0228b3799f3682d": "avro/orders.events.OrderRejected.avsc",
        "d070ce34c494680c": "avro/inventory.replies.StockCommitted.avsc",
        "dbc69d3135a72971": "avro/orders.commands.RejectOrder.avsc",
        "f16bca00a24ca4c5": "avro/inventory.replies.StockReserved.avsc",
        "fc3e4c17e4baf947": "avro/orders.events.OrderConfirmed.avsc",
        "fd417615204cb364": "avro/inventory.commands.CommitStock.avsc",
        "ff3dac740922f2ec": "avro/notifications.commands.SendRejection.avsc",
    }
)
