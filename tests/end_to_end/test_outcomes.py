"""Orders of every outcome, end to end: six processes, a real Kafka, a real PostgreSQL."""

import json
from uuid import UUID, uuid4

import httpx
import pytest

from sagaline.engine.events import StepSucceeded
from sagaline.local.answers import NotFound
from sagaline.local.client import INVENTORY, PAYMENT
from sagaline.local.views import Account, NewOrder, Saga, Shelf
from sagaline.testing.platform import Platform

WITHIN_S = 20.0


async def shelf(platform: Platform, sku: str) -> Shelf:
    return Shelf.model_validate(await platform.client.get(INVENTORY, f"/stock/{sku}"))


async def account(platform: Platform, customer_id: str) -> Account:
    path = f"/accounts/{customer_id}"
    return Account.model_validate(await platform.client.get(PAYMENT, path))


def statuses(saga: Saga) -> dict[str, str]:
    return {step.name: step.status for step in saga.steps}


async def rejected(platform: Platform, order_id: UUID) -> tuple[str | None, str | None]:
    """Wait for the rejection and the end of its saga; give the step and code it was for."""
    order = await platform.ended(order_id, within_s=WITHIN_S)
    saga = await platform.saga_ended(order_id, within_s=WITHIN_S)
    assert (order.status, saga.state) == ("REJECTED", "COMPENSATED")
    assert order.reason is not None
    assert order.reason.detail
    return order.reason.step, order.reason.code


async def test_an_order_that_can_be_met_is_confirmed_paid_and_leaves_the_shelf(
    platform: Platform,
) -> None:
    lamp = await platform.a_sku(on_hand=10, price_minor=4_900)
    mug = await platform.a_sku(on_hand=100, price_minor=900)
    customer_id = await platform.a_customer(limit_minor=20_000)

    order_id = await platform.place({lamp: 2, mug: 3}, customer_id=customer_id)

    order = await platform.ended(order_id, within_s=WITHIN_S)
    saga = await platform.saga_ended(order_id, within_s=WITHIN_S)
    assert (order.status, order.reason, saga.state) == ("CONFIRMED", None, "COMPLETED")
    assert order.ended_at is not None
    assert order.ended_at >= order.placed_at
    not_done = {name for name, status in statuses(saga).items() if status != "SUCCEEDED"}
    assert not_done <= {"send_rejection"}
    assert (await shelf(platform, lamp)).on_hand == 8
    assert (await shelf(platform, mug)).on_hand == 97
    paid = await account(platform, customer_id)
    assert (paid.captured_minor, paid.authorized_minor) == (2 * 4_900 + 3 * 900, 0)
    assert await platform.client.notifications(order_id) == ["confirmation"]


async def test_too_little_stock_rejects_the_order_and_reserves_none_of_its_lines(
    platform: Platform,
) -> None:
    plenty = await platform.a_sku(on_hand=100)
    scarce = await platform.a_sku(on_hand=1)
    customer_id = await platform.a_customer()

    order_id = await platform.place({plenty: 5, scarce: 2}, customer_id=customer_id)

    assert await rejected(platform, order_id) == ("reserve_stock", "out_of_stock")
    # Its sibling is undone after it was done, whether the saga had heard of that or not.
    assert statuses(await platform.saga(order_id))["create_order"] == "UNDONE"
    for sku, on_hand in ((plenty, 100), (scarce, 1)):
        left = await shelf(platform, sku)
        assert (left.on_hand, left.reserved) == (on_hand, 0)
    assert (await account(platform, customer_id)).captured_minor == 0
    assert await platform.client.notifications(order_id) == ["rejection"]


async def test_an_unknown_sku_rejects_the_order(platform: Platform) -> None:
    order_id = await platform.place({"NOBODY-SELLS-THIS": 1})
    assert await rejected(platform, order_id) == ("reserve_stock", "unknown_sku")


async def test_a_sku_in_another_currency_rejects_the_order(platform: Platform) -> None:
    rug = await platform.a_sku(currency="USD")
    order_id = await platform.place({rug: 1}, currency="EUR")
    assert await rejected(platform, order_id) == ("reserve_stock", "other_currency")


async def test_exceeded_credit_releases_the_stock_again(platform: Platform) -> None:
    sofa = await platform.a_sku(on_hand=5, price_minor=150_000)
    customer_id = await platform.a_customer(limit_minor=10_000)

    order_id = await platform.place({sofa: 1}, customer_id=customer_id)

    assert await rejected(platform, order_id) == ("authorize_payment", "credit_exceeded")
    saga = await platform.saga(order_id)
    assert statuses(saga)["reserve_stock"] == "UNDONE"
    assert statuses(saga)["create_order"] == "UNDONE"
    left = await shelf(platform, sofa)
    assert (left.on_hand, left.reserved) == (5, 0)
    assert (await account(platform, customer_id)).authorized_minor == 0


async def test_an_account_in_another_currency_rejects_the_order(platform: Platform) -> None:
    sku = await platform.a_sku(currency="EUR")
    customer_id = await platform.a_customer(currency="USD")
    order_id = await platform.place({sku: 1}, customer_id=customer_id, currency="EUR")
    assert await rejected(platform, order_id) == ("authorize_payment", "other_currency")


async def test_two_customers_after_the_last_unit_get_one_of_it_between_them(
    platform: Platform,
) -> None:
    last = await platform.a_sku(on_hand=1)
    first, second = await platform.place({last: 1}), await platform.place({last: 1})
    ends = [await platform.ended(order_id, within_s=WITHIN_S) for order_id in (first, second)]
    assert sorted(order.status for order in ends) == ["CONFIRMED", "REJECTED"]
    await platform.saga_ended(first, within_s=WITHIN_S)
    await platform.saga_ended(second, within_s=WITHIN_S)
    left = await shelf(platform, last)
    assert (left.on_hand, left.reserved) == (0, 0)


async def test_an_idempotency_key_used_again_is_the_same_order(platform: Platform) -> None:
    sku, customer_id = await platform.a_sku(on_hand=10), await platform.a_customer()
    orders = [
        await platform.place({sku: 2}, customer_id=customer_id, key="basket-1") for _ in range(3)
    ]
    assert len(set(orders)) == 1
    await platform.saga_ended(orders[0], within_s=WITHIN_S)
    assert await platform.place({sku: 2}, customer_id=customer_id, key="basket-1") == orders[0]
    assert (await shelf(platform, sku)).on_hand == 8


async def test_an_idempotency_key_with_another_body_is_refused(platform: Platform) -> None:
    sku, customer_id = await platform.a_sku(), await platform.a_customer()
    await platform.place({sku: 1}, customer_id=customer_id, key="basket-2")
    lines = [{"sku": sku, "quantity": 2}]
    other = order_body(lines=lines, customer_id=customer_id)
    answer = await platform.client.post_order(other, key="basket-2")
    problem_of(answer, 422)


async def test_customers_do_not_share_idempotency_keys(platform: Platform) -> None:
    sku = await platform.a_sku()
    first, second = [await platform.place({sku: 1}, key="basket-3") for _ in range(2)]
    assert first != second


async def test_replies_that_come_twice_move_no_saga_twice(platform: Platform) -> None:
    order = await platform.completed_order(within_s=WITHIN_S)
    for topic in ("orders", "inventory", "payments", "notifications"):
        assert await platform.publish_again(f"{topic}.replies.v1", key=order.order_id)
        await platform.consumed(f"{topic}.replies.v1", within_s=WITHIN_S)
    history = await platform.history(order)
    for step in ("create_order", "reserve_stock", "authorize_payment", "confirm_order"):
        assert history.count(StepSucceeded, step=step) == 1


async def test_commands_and_requests_that_come_twice_have_one_effect(platform: Platform) -> None:
    sku = await platform.a_sku(on_hand=10)
    order = await platform.completed_order(sku=sku, quantity=2, within_s=WITHIN_S)
    for topic in ("orders.requests", *(f"{s}.commands" for s in PARTICIPANTS)):
        assert await platform.publish_again(f"{topic}.v1", key=order.order_id)
        await platform.consumed(f"{topic}.v1", within_s=WITHIN_S)
    quiet = await platform.ledger_when_quiet(within_s=WITHIN_S)
    assert quiet.problems == []
    assert (await shelf(platform, sku)).on_hand == 8
    assert await platform.client.notifications(order.order_id) == ["confirmation"]


PARTICIPANTS = ("orders", "inventory", "payments", "notifications")


async def test_after_all_of_them_the_books_of_the_four_services_agree(platform: Platform) -> None:
    sku = await platform.a_sku(on_hand=3)
    for quantity in (1, 2, 3):
        await platform.place({sku: quantity})
    quiet = await platform.ledger_when_quiet(within_s=WITHIN_S)
    assert quiet.problems == []
    assert quiet.confirmed_minor == quiet.captured_minor == quiet.committed_minor


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("quantity", {"lines": [{"sku": "LAMP-1", "quantity": 0}]}),
        ("quantity", {"lines": [{"sku": "LAMP-1", "quantity": -1}]}),
        ("quantity", {"lines": [{"sku": "LAMP-1", "quantity": 10_001}]}),
        ("quantity", {"lines": [{"sku": "LAMP-1", "quantity": "2"}]}),
        ("lines", {"lines": []}),
        ("lines", {"lines": [{"sku": f"S-{n}", "quantity": 1} for n in range(101)]}),
        ("lines", {"lines": [{"sku": "LAMP-1", "quantity": 1}] * 2}),
        ("sku", {"lines": [{"sku": "LAMP\u0000", "quantity": 1}]}),
        ("customer_id", {"customer_id": "\u0000"}),
        ("customer_id", {"customer_id": ""}),
        ("currency", {"currency": "XXL"}),
        ("currency", {"currency": "eur"}),
        ("coupon", {"coupon": "FREE"}),
    ],
)
async def test_what_is_no_order_is_refused_naming_the_field(
    platform: Platform, field: str, change: dict[str, object]
) -> None:
    answer = await platform.client.post_order(order_body(**change))
    problem = problem_of(answer, 422)
    assert field in json.dumps(problem["errors"])


async def test_broken_json_is_refused(platform: Platform) -> None:
    problem_of(await platform.client.post_order(b'{"customer_id": '), 400)


async def test_a_body_that_is_too_large_is_refused(platform: Platform) -> None:
    problem_of(await platform.client.post_order(b" " * (64 * 1024 + 1)), 413)


async def test_an_order_that_nobody_placed_is_not_found(platform: Platform) -> None:
    with pytest.raises(NotFound):
        await platform.client.order(uuid4())
    with pytest.raises(NotFound):
        await platform.saga(uuid4())


def order_body(**change: object) -> bytes:
    lines = [{"sku": "LAMP-1", "quantity": 1}]
    order = {"customer_id": "somebody", "currency": "EUR", "lines": lines}
    return json.dumps({**order, **change}).encode()


def problem_of(answer: httpx.Response, status: int) -> dict[str, object]:
    """See that the answer is a problem document with a stable type; give it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert isinstance(problem, dict)
    assert problem["type"].startswith("https://sagaline.dev/problems/")
    return problem


def test_an_order_is_posted_as_the_gateway_reads_it() -> None:
    order = NewOrder.model_validate_json(order_body())
    assert json.loads(order.model_dump_json()) == json.loads(order_body())
