"""What a customer is told about an order, and under which id.

An order is told of once: the id of a notification follows from its order and kind, so that whoever
delivers it can recognise one that comes twice.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from uuid import UUID, uuid5

_ATOMS: Final = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_ADDRESS: Final = re.compile(f"{_ATOMS}@{_ATOMS}", re.ASCII)
ADDRESS_CHARACTERS_MAX: Final = 254

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


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a notification: carried, or refused for good, in words."""

    refusal: str | None = None


def address(template: str, customer_id: str) -> str | None:
    """The mail address of a customer; None where the id makes none."""
    made = template.replace("{customer_id}", customer_id)
    return made if made != template and is_address(made) else None


def is_address(text: str) -> bool:
    """Whether it is a plain mail address: one that needs no quoting, and holds no other."""
    return len(text) <= ADDRESS_CHARACTERS_MAX and _ADDRESS.fullmatch(text) is not None


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
    """How many notifications of each kind there are; no order may have one of each.

    `refused` of them could not be carried to their customers.
    """

    balanced: bool
    problems: tuple[str, ...]
    confirmations: int
    rejections: int
    refused: int
