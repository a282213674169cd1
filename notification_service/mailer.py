"""The port to whatever carries notifications to customers, and the adapter that needs no server.

It is called by effects: between two transactions, and again, under the same key, for a notification
of which it is not known whether it was carried. So a customer is told at least once.
"""

from typing import Protocol
from uuid import UUID

from structlog.typing import FilteringBoundLogger

from notification_service.domain import Delivery, Notification


class Mailer(Protocol):
    """Carries notifications to customers, one a call."""

    async def send(self, notification: Notification, *, key: UUID) -> Delivery:
        """Carry it, recognisable by `key`; raises ProviderUnavailable where that can't be now."""
        ...


class LogMailer:
    """A `Mailer` that writes a line for each notification into the service's log."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    async def send(self, notification: Notification, *, key: UUID) -> Delivery:
        """Log who is told what about which order. The body stays in the table."""
        self._log.info(
            "notification sent",
            notification_id=str(notification.notification_id),
            order_id=str(notification.order_id),
            customer_id=notification.customer_id,
            kind=notification.kind,
            subject=notification.subject,
            key=str(key),
        )
        return Delivery()
