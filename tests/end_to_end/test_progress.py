"""A customer watches an order: each newer state as it comes, and the stream ends with the saga."""

import asyncio

from sagaline.local.views import Progress
from sagaline.testing.platform import Platform

WITHIN_S = 20.0


async def watched(platform: Platform, *, limit_minor: int) -> list[Progress]:
    """All that a customer with that credit is told of an order of 1,000."""
    customer_id = await platform.a_customer(limit_minor=limit_minor)
    order_id = await platform.place(customer_id=customer_id)
    async with asyncio.timeout(WITHIN_S):
        told = [Progress.model_validate(each) async for each in platform.client.progress(order_id)]
    assert {progress.order.order_id for progress in told} == {order_id}
    return told


async def test_a_confirmed_order_is_watched_to_its_end(platform: Platform) -> None:
    told = await watched(platform, limit_minor=1_000)
    sequences = [progress.saga.sequence for progress in told]
    assert sequences == sorted(set(sequences))
    assert (told[-1].order.status, told[-1].saga.state) == ("CONFIRMED", "COMPLETED")


async def test_a_rejected_order_says_why_on_the_stream(platform: Platform) -> None:
    last = (await watched(platform, limit_minor=999))[-1]
    assert (last.order.status, last.saga.state) == ("REJECTED", "COMPENSATED")
    assert last.order.reason is not None
    assert last.order.reason.code == "credit_exceeded"
