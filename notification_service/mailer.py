"""What carries notifications to customers: the port to a mailer, and a log that needs no server.

A mailer is called by effects: between two transactions, and again, under the same key, for a
notification of which it is not known whether it was carried. So a customer is told at least once.
"""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from structlog.typing import FilteringBoundLogger

from notification_service.domain import Delivery, Notification


class Mailer(Protocol):
    """Carries notifications to customers, one a call."""

    async def send(self, notification: Notification, *, key: UUID) -> Delivery:
        """Carry it, recognisable by `key`; raises ProviderUnavailable where that can't be now."""
        ...


class LogBook:
    """Stands in for a mailer: the service's log has a line for each notification that is kept."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    def write(self, told: Iterable[Notification]) -> None:
        """The log says who was told what about which order. The bodies are in the table."""
        for notification in told:
            self._log.info(
                "notification sent",
                notification_id=str(notification.notification_id),
                order_id=str(notification.order_id),
                customer_id=notification.customer_id,
                kind=notification.kind,
                subject=notification.subject,
            )
