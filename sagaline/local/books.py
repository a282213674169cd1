"""The books of the four services, held against each other: money, stock, orders, messages.

Each service says of itself whether its books balance; whether they agree is seen only here.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sagaline.local.answers import Refused
from sagaline.local.client import INVENTORY, NOTIFICATION, ORDER, PAYMENT, Client, Unreachable
from sagaline.local.views import (
    InventoryBooks,
    NotificationBooks,
    OrderBooks,
    OwnBooks,
    PaymentBooks,
)

POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Check:
    """Two figures that have to be equal; `ok` if they are."""

    what: str
    left: object
    right: object

    @property
    def ok(self) -> bool:
        """Whether they are equal."""
        return self.left == self.right


@dataclass(frozen=True, slots=True)
class Ledger:
    """All four books, read one right after the other: exact only while nothing is under way."""

    order: OrderBooks
    inventory: InventoryBooks
    payment: PaymentBooks
    notification: NotificationBooks

    @property
    def confirmed(self) -> int:
        """Orders that are CONFIRMED."""
        return self.order.orders.get("CONFIRMED", 0)

    @property
    def rejected(self) -> int:
        """Orders that are REJECTED."""
        return self.order.orders.get("REJECTED", 0)

    @property
    def pending(self) -> int:
        """Orders that are PENDING."""
        return self.order.orders.get("PENDING", 0)

    @property
    def open_effects(self) -> int:
        """Orders, reservations and authorizations that still wait for their end."""
        reserved = self.inventory.open_reservations
        return self.pending + reserved + self.payment.open_authorizations

    @property
    def own(self) -> tuple[OwnBooks, ...]:
        """All four, for what each says of itself."""
        return (self.order, self.inventory, self.payment, self.notification)

    @property
    def checks(self) -> list[Check]:
        """Everything that has to agree once nothing is under way."""
        confirmed_minor = _amounts(self.order.confirmed_minor)
        return [
            Check(
                "money: confirmed = captured",
                confirmed_minor,
                _amounts(self.payment.captured_minor),
            ),
            Check(
                "goods: confirmed = committed",
                confirmed_minor,
                _amounts(self.inventory.committed_minor),
            ),
            Check(
                "told: confirmed = confirmations", self.confirmed, self.notification.confirmations
            ),
            Check("told: rejected = rejections", self.rejected, self.notification.rejections),
            Check("orders still pending", self.pending, 0),
            Check("reservations still open", self.inventory.open_reservations, 0),
            Check("authorizations still open", self.payment.open_authorizations, 0),
        ]

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words; empty if everything adds up."""
        books = {
            "order": self.order,
            "inventory": self.inventory,
            "payment": self.payment,
            "notification": self.notification,
        }
        own = [f"{name}: {text}" for name, book in books.items() for text in book.problems]
        unbalanced = [
            f"{name}: its own books do not balance"
            for name, book in books.items()
            if not book.balanced and not book.problems
        ]
        between = [f"{c.what}: {c.left} against {c.right}" for c in self.checks if not c.ok]
        return own + unbalanced + between


async def read(client: Client) -> Ledger:
    """Give what the four services' books say now."""
    order, inventory, payment, notification = await asyncio.gather(
        *(client.get(service, "/books") for service in (ORDER, INVENTORY, PAYMENT, NOTIFICATION))
    )
    return Ledger(
        OrderBooks.model_validate(order),
        InventoryBooks.model_validate(inventory),
        PaymentBooks.model_validate(payment),
        NotificationBooks.model_validate(notification),
    )


async def quiet(client: Client, *, within_s: float) -> Ledger:
    """Wait until nothing is under way; give the books then, or as they are after `within_s`."""
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            ledger = await read(client)
            if not ledger.problems or time.monotonic() > deadline_s:
                return ledger
        except (Unreachable, Refused):  # a service is just being started again
            if time.monotonic() > deadline_s:
                raise
        await asyncio.sleep(POLL_S)


def _amounts(by_currency: Mapping[str, int]) -> dict[str, int]:
    """Leave out currencies in which nothing moved: one service may list them, another not."""
    return {currency: amount for currency, amount in by_currency.items() if amount}
