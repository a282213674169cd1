"""A participant's replies are lost for good: the saga asks again, and the barrier remembers.

No relay loses a row: the test holds the relay back, and deletes the row from the outbox.
"""

from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from sagaline.engine.events import StepInDoubt
from sagaline.local.client import ORDER, PAYMENT
from sagaline.local.views import Account, Step
from sagaline.testing.platform import QUICK, Platform
from tests.chaos.databases import muted
from tests.chaos.waiting import WITHIN_S, until

pytestmark = pytest.mark.timeout(300)

SENDINGS = 1 + int(QUICK["SAGALINE_ORCHESTRATOR_STEP_RESENDS_MAX"])
PRICE_MINOR = 700


async def test_a_lost_reply_is_said_again_from_the_barrier(platform: Platform) -> None:
    customer_id = await platform.a_customer()
    async with muted(platform, PAYMENT) as payment:
        order_id = await place(platform, customer_id)
        lost = await payment.lose(order_id)
    assert (await platform.ended(order_id, within_s=WITHIN_S)).status == "CONFIRMED"
    assert (await step(platform, order_id, "authorize_payment")).attempts == 2
    said = await platform.topics.records("payments.replies.v1", keys=[str(order_id)])
    assert [dict(record.headers)["ce_id"].decode() for record in said].count(str(lost)) == 1
    await books_are_right(platform)
    assert await account(platform, customer_id) == (0, PRICE_MINOR)


async def test_a_step_in_doubt_that_had_its_effect_is_undone(platform: Platform) -> None:
    customer_id = await platform.a_customer()
    async with muted(platform, PAYMENT) as payment:
        order_id = await place(platform, customer_id)
        for _ in range(SENDINGS):
            await payment.lose(order_id)
    order = await platform.ended(order_id, within_s=WITHIN_S)
    assert order.reason is not None
    assert (order.reason.step, order.reason.code) == ("authorize_payment", "no_answer")
    assert (await step(platform, order_id, "authorize_payment")).status == "UNDONE"
    await books_are_right(platform)
    assert await account(platform, customer_id) == (0, 0)


async def test_an_order_out_of_stock_is_rejected_though_none_knew_that_it_was_written_down(
    platform: Platform,
) -> None:
    sold_out = await platform.a_sku(on_hand=0)
    async with muted(platform, ORDER):
        order_id = await platform.place({sold_out: 1})
        await until(lambda: turned_back(platform, order_id), "the stock is refused")
    order = await platform.ended(order_id, within_s=WITHIN_S)
    assert order.reason is not None
    assert (order.status, order.reason.code) == ("REJECTED", "out_of_stock")
    assert (await step(platform, order_id, "create_order")).status == "UNDONE"
    await books_are_right(platform)


async def test_a_pivot_in_doubt_that_had_its_effect_is_found_out_and_kept(
    platform: Platform,
) -> None:
    customer_id = await platform.a_customer()
    async with AsyncExitStack() as unready:
        # The pivot must not be asked for before the order service is muted.
        await unready.enter_async_context(muted(platform, PAYMENT))
        order_id = await place(platform, customer_id)
        await until(lambda: pays(platform, order_id), "only the payment is missing")
        async with muted(platform, ORDER) as order:
            await unready.aclose()
            for _ in range(SENDINGS):
                await order.lose(order_id)
    shown = await platform.ended(order_id, within_s=WITHIN_S)
    assert (shown.status, shown.reason) == ("CONFIRMED", None)
    assert (await platform.history(shown)).count(StepInDoubt, step="confirm_order") == 1
    await books_are_right(platform)
    assert await account(platform, customer_id) == (0, PRICE_MINOR)


async def place(platform: Platform, customer_id: str) -> UUID:
    sku = await platform.a_sku(price_minor=PRICE_MINOR)
    return await platform.place({sku: 1}, customer_id=customer_id)


async def step(platform: Platform, order_id: UUID, name: str) -> Step:
    """Wait until the saga has ended; give one of its steps."""
    saga = await platform.saga_ended(order_id, within_s=WITHIN_S)
    (found,) = (each for each in saga.steps if each.name == name)
    return found


async def turned_back(platform: Platform, order_id: UUID) -> bool:
    return (await platform.saga(order_id)).state == "COMPENSATING"


async def pays(platform: Platform, order_id: UUID) -> bool:
    """Whether all before the payment has succeeded, and so no other reply of theirs is due."""
    succeeded = {s.name for s in (await platform.saga(order_id)).steps if s.status == "SUCCEEDED"}
    return {"create_order", "reserve_stock"} <= succeeded


async def account(platform: Platform, customer_id: str) -> tuple[int, int]:
    """Money that is held, and money that was taken."""
    path = f"/accounts/{customer_id}"
    shown = Account.model_validate(await platform.client.get(PAYMENT, path))
    return shown.authorized_minor, shown.captured_minor


async def books_are_right(platform: Platform) -> None:
    assert (await platform.ledger_when_quiet(within_s=WITHIN_S)).problems == []
