"""What a batch of the intake writes: keys, orders, and the messages that start their sagas."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from gateway_service import domain, repository
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Outgoing
from schemas.messages import OrderLine, PlaceOrder


async def place(tx: Transaction, requests: Sequence[domain.Request]) -> list[domain.Answer]:
    """Keys, orders and their `PlaceOrder` are written, in the platform's lock order.

    The answers, in order; they hold once `tx` is committed.
    """
    owners = await repository.claim_keys(tx, domain.claimants(requests))
    answers = [domain.answer(request, owners) for request in requests]
    new = [
        request
        for request, answer in zip(requests, answers, strict=True)
        if isinstance(answer, domain.Accepted) and answer.placed is not None
    ]
    await repository.add_orders(tx, new)
    tx.publish(
        *(
            place_order(each.order_id, each.order, each.placed_at, traceparent=each.traceparent)
            for each in new
        )
    )
    return answers


def place_order(
    order_id: UUID, order: domain.Order, placed_at: datetime, *, traceparent: str | None = None
) -> Outgoing:
    """What starts the order's saga; its id is the order's own, so that sending it again is safe."""
    message = PlaceOrder(
        order_id=order_id,
        customer_id=order.customer_id,
        currency=order.currency,
        lines=tuple(OrderLine(sku=line.sku, quantity=line.quantity) for line in order.lines),
        placed_at=placed_at,
    )
    message_id = uuid5(order_id, PlaceOrder.avro_name)
    return Outgoing(message, id=message_id, traceparent=traceparent)
