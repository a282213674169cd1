"""What an order leaves on the topics: read as any other service of a company would read it."""

from uuid import UUID, uuid4

import pytest

from sagaline.testing import Captured, NotPublished, NotSoon
from sagaline.testing.platform import Platform
from schemas.messages import (
    OrderConfirmed,
    OrderRejected,
    ReleaseStock,
    ReserveStock,
    StockReleased,
    StockReserved,
)


async def test_a_confirmed_order_is_announced_once_under_its_own_key(
    platform: Platform, captured: Captured
) -> None:
    order_id = await platform.place({await platform.a_sku(price_minor=700): 3})
    await platform.saga_of(order_id).ended()
    (event,) = await captured("orders.events.v1")
    assert isinstance(event.message, OrderConfirmed)
    assert (event.message.total_minor, event.message.currency) == (2_100, "EUR")
    assert (event.key, event.envelope.subject) == (str(order_id), str(order_id))


async def test_what_is_undone_was_asked_for_and_answered(
    platform: Platform, captured: Captured
) -> None:
    order_id = await platform.place(customer_id=await platform.a_customer(limit_minor=1))
    saga = await platform.saga_of(order_id).ended()
    assert saga.failed_step == "authorize_payment"
    commands = await captured("inventory.commands.v1", count=2)
    replies = await captured("inventory.replies.v1", count=2)
    assert [type(each.message) for each in commands] == [ReserveStock, ReleaseStock]
    assert [type(each.message) for each in replies] == [StockReserved, StockReleased]
    assert [each.envelope.causation_id for each in replies] == [
        each.envelope.id for each in commands
    ]
    (event,) = await captured("orders.events.v1")
    assert isinstance(event.message, OrderRejected)


async def test_every_message_of_an_order_belongs_to_its_one_trace_and_saga(
    platform: Platform, captured: Captured
) -> None:
    order_id = await platform.place()
    saga = await platform.saga_of(order_id).ended()
    (request,) = await captured("orders.requests.v1")
    assert request.envelope.traceparent is not None
    for topic in ("orders", "inventory", "payments", "notifications"):
        for direction in ("commands", "replies"):
            for record in await captured(f"{topic}.{direction}.v1"):
                assert trace(record.envelope.traceparent) == trace(request.envelope.traceparent)
                assert record.envelope.saga_id == saga.saga_id


async def test_what_did_not_come_is_told_with_what_did(
    platform: Platform, captured: Captured
) -> None:
    order_id = await platform.place()
    with pytest.raises(
        NotSoon, match=rf"{order_id} is \w+ \(create_order .*send_rejection PLANNED"
    ):
        await platform.saga_of(order_id).until(lambda saga: saga.sequence > 1_000, within_s=1)
    await platform.saga_of(order_id).ended()
    with pytest.raises(NotPublished, match=rf"2 messages of {order_id}.* Seen: OrderConfirmed"):
        await captured("orders.events.v1", count=2, within_s=1)
    with pytest.raises(NotSoon, match="is unknown"):
        await platform.saga_of(uuid4()).ended(within_s=0)


def trace(traceparent: str | None) -> UUID:
    assert traceparent is not None
    return UUID(traceparent.split("-")[1])
