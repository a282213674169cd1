"""What a customer is told about an order, and under which id.

An order is told of once: the id of a notification follows from its order and kind, so that whoever
delivers it can recognise one that comes twice.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID, uuid5

Kind: TypeAlias = Literal["confirmation", "rejection"]


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one customer."""

    notification_id: UUID
    order_id: UUID
    kind: Kind
    customer_id: str
    subject: str
    body: str


def confirmation(order_id: UUID, customer_id: str, *, total: str) -> Notification:
    """The good news, with the total as people read it."""
    return _notification(
        order_id,
        "confirmation",
        customer_id,
        subject="Your order is confirmed",
        body=f"We have confirmed your order {order_id}. You pay {total}.",
    )


def rejection(order_id: UUID, customer_id: str, *, reason: str) -> Notification:
    """The bad news, with the reason in a sentence."""
    return _notification(
        order_id,
        "rejection",
        customer_id,
        subject="We could not take your order",
        body=f"We could not take your order {order_id}, and you pay nothing. {reason}".rstrip(),
    )


def _notification(
    order_id: UUID, kind: Kind, customer_id: str, *, subject: str, body: str
) -> Notification:
    return Notification(uuid5(order_id, kind), order_id, kind, customer_id, subject, body)


@dataclass(frozen=True, slots=True)
class Books:
    """How many notifications of each kind there are; no order may have one of each."""

    balanced: bool
    problems: tuple[str, ...]
    confirmations: int
    rejections: int
