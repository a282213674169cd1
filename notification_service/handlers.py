"""What notification does about each command, over a channel; the batch's orders all differ."""

from collections.abc import Sequence

from notification_service import domain, repository
from notification_service.channel import Channel
from sagaline.chassis.database import Transaction
from sagaline.chassis.handlers import HandlerTable
from schemas import currencies
from schemas.messages import NotificationSent, SendConfirmation, SendRejection


def commands(channel: Channel) -> HandlerTable:
    """The dispatch table, for this channel."""

    async def send_confirmation(
        tx: Transaction, batch: Sequence[SendConfirmation]
    ) -> list[NotificationSent]:
        return await _send(tx, channel, [_confirmation(order) for order in batch])

    async def send_rejection(
        tx: Transaction, batch: Sequence[SendRejection]
    ) -> list[NotificationSent]:
        return await _send(tx, channel, [_rejection(order) for order in batch])

    return {SendConfirmation: send_confirmation, SendRejection: send_rejection}


def _confirmation(order: SendConfirmation) -> domain.Notification:
    total = currencies.written(order.total_minor, order.currency)
    return domain.confirmation(order.order_id, order.customer_id, total=total)


def _rejection(order: SendRejection) -> domain.Notification:
    return domain.rejection(order.order_id, order.customer_id, reason=order.detail)


async def _send(
    tx: Transaction, channel: Channel, notifications: Sequence[domain.Notification]
) -> list[NotificationSent]:
    # The rows first: what their constraints refuse is not sent either.
    await repository.add_notifications(tx, notifications)
    await channel.send(notifications)
    return [
        NotificationSent(order_id=sent.order_id, notification_id=sent.notification_id)
        for sent in notifications
    ]
