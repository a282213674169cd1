"""What shoppers order, and how it has to end: known from the shelf and the credit it asks of."""

from typing import NamedTuple

from sagaline.local.views import Order


class End(NamedTuple):
    """How an order ends, and what for."""

    status: str
    step: str | None = None
    code: str | None = None

    @property
    def news(self) -> str:
        """What the customer is told of it."""
        return "confirmation" if self.status == "CONFIRMED" else "rejection"


CONFIRMED = End("CONFIRMED")
OUT_OF_STOCK = End("REJECTED", "reserve_stock", "out_of_stock")
NO_CREDIT = End("REJECTED", "authorize_payment", "credit_exceeded")


class Basket(NamedTuple):
    """What is ordered, and what has to come of it."""

    customer_id: str
    sku: str
    quantity: int
    end: End


def end_of(order: Order) -> End:
    """How the gateway says that it ended."""
    if order.reason is None:
        return End(order.status)
    return End(order.status, order.reason.step, order.reason.code)
