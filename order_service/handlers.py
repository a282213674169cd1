"""What the order service does about each command; the batch's orders are all different.

An order's end is told to third parties, too: on orders.events.v1, with the same transaction.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from order_service import domain, repository
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Outgoing
from sagaline.chassis.handlers import HandlerTable
from schemas.messages import (
    ConfirmOrder,
    CreateOrder,
    OrderConfirmationRefused,
    OrderConfirmed,
    OrderCreated,
    OrderCreationRefused,
    OrderMarkedConfirmed,
    OrderMarkedRejected,
    OrderRejected,
    RejectOrder,
)

Creation: TypeAlias = OrderCreated | OrderCreationRefused
Confirmation: TypeAlias = OrderMarkedConfirmed | OrderConfirmationRefused


async def create_order(tx: Transaction, batch: Sequence[CreateOrder]) -> list[Creation]:
    """Keep each order as PENDING, or refuse what can be no order."""
    replies: list[Creation] = []
    created: list[CreateOrder] = []
    for order in batch:
        refusal = domain.create([domain.Line(line.sku, line.quantity) for line in order.lines])
        if refusal is None:
            created.append(order)
            replies.append(OrderCreated(order_id=order.order_id))
        else:
            replies.append(
                OrderCreationRefused(
                    order_id=order.order_id, code=refusal.code, detail=refusal.detail
                )
            )
    if created:
        await repository.add_orders(tx, created)
    return replies


async def confirm_order(tx: Transaction, batch: Sequence[ConfirmOrder]) -> list[Confirmation]:
    """Each order that is PENDING is CONFIRMED, and third parties are told; others are refused."""
    orders = await repository.lock_orders(tx, [asked.order_id for asked in batch])
    replies: list[Confirmation] = []
    confirmed: list[ConfirmOrder] = []
    for asked in batch:
        refusal = domain.confirm(orders.get(asked.order_id), currency=asked.currency)
        if refusal is None:
            confirmed.append(asked)
            replies.append(OrderMarkedConfirmed(order_id=asked.order_id))
        else:
            replies.append(
                OrderConfirmationRefused(
                    order_id=asked.order_id, code=refusal.code, detail=refusal.detail
                )
            )
    if confirmed:
        totals = {asked.order_id: asked.total_minor for asked in confirmed}
        confirmed_at = await repository.confirm_orders(tx, totals)
        for asked in confirmed:
            told = OrderConfirmed(
                order_id=asked.order_id,
                customer_id=orders[asked.order_id].customer_id,
                total_minor=asked.total_minor,
                currency=asked.currency,
                confirmed_at=confirmed_at,
            )
            tx.publish(Outgoing(told))
    return replies


async def reject_order(tx: Transaction, batch: Sequence[RejectOrder]) -> list[OrderMarkedRejected]:
    """Each order is REJECTED, and third parties are told."""
    orders = await repository.lock_orders(tx, [asked.order_id for asked in batch])
    for asked in batch:
        domain.reject(orders.get(asked.order_id))
    rejected_at = await repository.reject_orders(tx, orders)
    for order_id, order in orders.items():
        told = OrderRejected(
            order_id=order_id, customer_id=order.customer_id, rejected_at=rejected_at
        )
        tx.publish(Outgoing(told))
    return [OrderMarkedRejected(order_id=asked.order_id) for asked in batch]


COMMANDS: Final[HandlerTable] = {
    CreateOrder: create_order,
    ConfirmOrder: confirm_order,
    RejectOrder: reject_order,
}
