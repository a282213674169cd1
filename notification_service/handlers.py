"""What notification does about each command, over a mailer; the batch's orders all differ."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from notification_service import domain, repository
from notification_service.domain import Delivery, Notification
from notification_service.mailer import Mailer
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Call, Effect, Port
from sagaline.chassis.handlers import EffectTable
from schemas import currencies
from schemas.messages import NotificationSent, SendConfirmation, SendRejection

C = TypeVar("C", SendConfirmation, SendRejection)


def commands(mailer: Mailer, port: Port) -> EffectTable:
    """The dispatch table, for this mailer, which is called within the port's bounds."""
    return {
        SendConfirmation: _telling(_confirmation, mailer, port),
        SendRejection: _telling(_rejection, mailer, port),
    }


def _telling(
    written: Callable[[C], Notification], mailer: Mailer, port: Port
) -> Effect[C, Delivery]:
    """Tell each customer, and keep what was told. Nobody can be asked, so at least once."""

    async def send(call: Call[C]) -> Delivery:
        return await mailer.send(written(call.message), key=call.key)

    async def settle(
        tx: Transaction, batch: Sequence[C], deliveries: Sequence[Delivery]
    ) -> list[NotificationSent]:
        told = [written(order) for order in batch]
        await repository.add_notifications(tx, told, deliveries)
        return [
            NotificationSent(order_id=one.order_id, notification_id=one.notification_id)
            for one in told
        ]

    return Effect(port=port, call=send, settle=settle)


def _confirmation(order: SendConfirmation) -> Notification:
    total = currencies.written(order.total_minor, order.currency)
    return domain.confirmation(order.order_id, order.customer_id, total=total)


def _rejection(order: SendRejection) -> Notification:
    return domain.rejection(order.order_id, order.customer_id, reason=order.detail)
