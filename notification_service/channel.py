"""The port to whatever carries notifications to customers, and the channel there is now: the log.

That a notification was sent is what its row says. A channel is called before the row is committed,
so it may be given a notification again, under the same id, when that transaction had to be redone;
a channel that must not repeat itself (SMTP) is called by an effect handler instead.
"""

from collections.abc import Sequence
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from notification_service.domain import Notification


class Channel(Protocol):
    """Carries notifications; those with an id that it has carried before are no news."""

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Carry these to their customers."""
        ...


class LogChannel:
    """A `Channel` that writes a line for each notification into the service's log."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Log each: who is told what about which order. The body stays in the table."""
        for sent in notifications:
            self._log.info(
                "notification sent",
                notification_id=str(sent.notification_id),
                order_id=str(sent.order_id),
                customer_id=sent.customer_id,
                kind=sent.kind,
                subject=sent.subject,
            )
