"""What an order can meet at the door. A subclass's docstring is the text that people read.

PlatformError
├── OrderNotFound            404  no such order was accepted here
├── IdempotencyKeyHeld       409  a request with the same key is in flight
├── IdempotencyKeyReused     422  the customer's key stands for another order
├── IntakeFull               503  more orders wait than the gateway takes
├── IntakeClosed             503  the gateway is stopping
├── TooManyStreams           503  as many orders are watched as may be
└── OrdersUnavailable        503  the gateway's database does not answer
"""

from typing import ClassVar

from sagaline.chassis.errors import PlatformError


class OrderNotFound(PlatformError):
    """No order {order_id} was accepted here."""

    status = 404


class IdempotencyKeyHeld(PlatformError):
    """Another request with idempotency key {key} is in flight: repeat this one in a moment."""

    status = 409
    retry_after_s: ClassVar[int] = 1


class IdempotencyKeyReused(PlatformError):
    """Idempotency key {key} was used before, for a different order."""

    status = 422


class IntakeFull(PlatformError):
    """{waiting} orders wait to be accepted already: repeat the request in a moment."""

    status = 503
    retry_after_s: ClassVar[int] = 1


class IntakeClosed(PlatformError):
    """The gateway is stopping and takes no more orders: repeat the request in a moment."""

    status = 503
    retry_after_s: ClassVar[int] = 1


class OrdersUnavailable(PlatformError):
    """The gateway's database does not answer; whether it has the order already is not known.

    Repeat the request: with the same Idempotency-Key it can't become two orders.
    """

    status = 503
    retry_after_s: ClassVar[int] = 1


class TooManyStreams(PlatformError):
    """{streams} streams are open already: repeat the request later, or ask with `Prefer: wait`."""

    status = 503
    retry_after_s: ClassVar[int] = 5
