"""What notification does about each command; the batch's orders all differ.

Lines in a log are written beside a batch's one transaction. Mails are effects: sent between two.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from notification_service import domain, repository
from notification_service.domain import Delivery, Notification
from notification_service.mailer import LogBook, Mailer
from sagaline.chassis.database import Transaction
from sagaline.chassis.effects import Call, Effect, Port
from sagaline.chassis.handlers import CommandHandler, EffectTable, HandlerTable
from schemas import currencies
from schemas.messages import NotificationSent, SendConfirmation, SendRejection

C = TypeVar("C", SendConfirmation, SendRejection)


def by_log(book: LogBook) -> HandlerTable:
    """The dispatch table where customers are told by lines, once their batch is committed."""
    return {
        SendConfirmation: _logging(_confirmation, book),
        SendRejection: _logging(_rejection, book),
    }


def by_mail(mailer: Mailer, port: Port) -> EffectTable:
    """The dispatch table for this mailer, which is called within the port's bounds."""
    return {
        SendConfirmation: _mailing(_confirmation, mailer, port),
        SendRejection: _mailing(_rejection, mailer, port),
    }


def _logging(written: Callable[[C], Notification], book: LogBook) -> CommandHandler:
    async def tell(tx: Transaction, batch: Sequence[C]) -> list[NotificationSent]:
        told = [written(order) for order in batch]
        tx.afterwards(lambda: book.write(told))
        return await _kept(tx, told, [Delivery()] * len(told))

    return tell


def _mailing(
    written: Callable[[C], Notification], mailer: Mailer, port: Port
) -> Effect[C, Delivery]:
    """Tell each customer, and keep what was told. Nobody can be asked, so at least once."""

    async def send(call: Call[C]) -> Delivery:
        return await mailer.send(written(call.message), key=call.key)

    async def settle(
        tx: Transaction, batch: Sequence[C], deliveries: Sequence[Delivery]
    ) -> list[NotificationSent]:
        return await _kept(tx, [written(order) for order in batch], deliveries)

    return Effect(port=port, call=send, settle=settle)


async def _kept(
    tx: Transaction, told: Sequence[Notification], deliveries: Sequence[Delivery]
) -> list[NotificationSent]:
    await repository.add_notifications(tx, told, deliveries)
    return [
        NotificationSent(order_id=one.order_id, notification_id=one.notification_id) for one in told
    ]


def _confirmation(order: SendConfirmation) -> Notification:
    total = currencies.written(order.total_minor, order.currency)
    return domain.confirmation(order.order_id, order.customer_id, total=total)


def _rejection(order: SendRejection) -> Notification:
    return domain.rejection(order.order_id, order.customer_id, reason=order.detail)
