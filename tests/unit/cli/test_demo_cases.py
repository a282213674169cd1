"""The demo's expectations agree with one another: what is confirmed is what is paid and gone."""

from collections import Counter

from sagaline.cli.demo.cases import BAD_REQUESTS, CASES, CREDITS, STOCKS, Case
from sagaline.cli.demo.checking import Finding, outcome
from sagaline.local.views import Order

PRICES = {stock.sku: stock.price_minor for stock in STOCKS}


def confirmed() -> list[Case]:
    return [case for case in CASES if case.status == "CONFIRMED"]


def test_shelves_lose_what_confirmed_orders_take_and_nothing_else() -> None:
    taken: Counter[str] = Counter()
    for case in confirmed():
        taken.update({line.sku: line.quantity for line in case.order.lines})
    assert {s.sku: s.before - s.after for s in STOCKS} == {s.sku: taken[s.sku] for s in STOCKS}


def test_accounts_pay_for_confirmed_orders_and_nothing_else() -> None:
    paid: Counter[str] = Counter()
    for case in confirmed():
        paid[case.order.customer_id] += sum(
            PRICES[line.sku] * line.quantity for line in case.order.lines
        )
    assert {c.customer_id: c.captured_minor for c in CREDITS} == {
        c.customer_id: paid[c.customer_id] for c in CREDITS
    }


def test_every_outcome_is_there() -> None:
    codes = {case.code for case in CASES}
    assert codes == {None, "out_of_stock", "unknown_sku", "other_currency", "credit_exceeded"}
    assert any(case.key for case in CASES)
    assert BAD_REQUESTS


def test_an_order_that_ends_otherwise_is_a_wrong_finding() -> None:
    case = CASES[0]
    order = Order.model_validate(
        {
            **case.order.model_dump(),
            "order_id": "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f",
            "status": "REJECTED",
            "reason": {"step": "reserve_stock", "code": "out_of_stock", "detail": "1, 0 are free"},
            "placed_at": "2026-11-22T12:00:00Z",
            "ended_at": "2026-11-22T12:00:01Z",
            "saga": None,
        }
    )
    assert outcome(case, order) == Finding(case.title, "CONFIRMED", "REJECTED out_of_stock")
    assert not outcome(case, order).ok
