"""Which requests can be an order at all, and which field is named where one can't."""

import pytest
from pydantic import ValidationError

from gateway_service import domain
from gateway_service.documents import LINES_MAX, QUANTITY_MAX, NewOrder
from sagaline.chassis.problems import field_of

Json = dict[str, object]


def order(**changes: object) -> Json:
    lines = [{"sku": "LAMP", "quantity": 1}]
    return {"customer_id": "c-1", "currency": "EUR", "lines": lines} | changes


def line(**changes: object) -> Json:
    return order(lines=[{"sku": "LAMP", "quantity": 1} | changes])


def lines(count: int) -> Json:
    return order(lines=[{"sku": f"SKU-{n}", "quantity": 1} for n in range(count)])


def fields_at_fault(given: Json) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        NewOrder.model_validate(given)
    return [field_of(("body", *fault["loc"])) for fault in refused.value.errors()]


@pytest.mark.parametrize(
    "given",
    [
        order(),
        order(customer_id="c"),
        order(customer_id="a" * 64),
        order(customer_id="ann@example.com:7_x"),
        order(currency="JPY"),
        line(quantity=QUANTITY_MAX),
        line(sku="A" * 64),
        lines(LINES_MAX),
    ],
)
def test_what_is_within_the_limits_is_an_order(given: Json) -> None:
    assert isinstance(NewOrder.model_validate(given).order(), domain.Order)


@pytest.mark.parametrize(
    "given, field",
    [
        (line(quantity=0), "lines[0].quantity"),
        (line(quantity=-1), "lines[0].quantity"),
        (line(quantity=QUANTITY_MAX + 1), "lines[0].quantity"),
        (line(quantity=10**30), "lines[0].quantity"),
        (line(quantity="1"), "lines[0].quantity"),
        (line(quantity=True), "lines[0].quantity"),
        (line(quantity=1.0), "lines[0].quantity"),
        (line(quantity=float("nan")), "lines[0].quantity"),
        (line(quantity=None), "lines[0].quantity"),
        (line(sku=""), "lines[0].sku"),
        (line(sku="A" * 65), "lines[0].sku"),
        (line(sku="A/B"), "lines[0].sku"),
        (line(sku="A\n"), "lines[0].sku"),
        (line(sku="\ud800"), "lines[0].sku"),
        (line(sku=7), "lines[0].sku"),
        (line(price_minor=1), "lines[0].price_minor"),
        (order(lines=[]), "lines"),
        (lines(LINES_MAX + 1), "lines"),
        (order(lines={"LAMP": 1}), "lines"),
        (order(lines=[["LAMP", 1]]), "lines[0]"),
        (order(currency="XYZ"), "currency"),
        (order(currency="eur"), "currency"),
        (order(currency="XTS"), "currency"),
        (order(customer_id=""), "customer_id"),
        (order(customer_id="c" * 65), "customer_id"),
        (order(customer_id="c 1"), "customer_id"),
        (order(customer_id="c-1\0"), "customer_id"),
        (order(customer_id=1), "customer_id"),
        (order(coupon="X"), "coupon"),
    ],
)
def test_what_is_not_an_order_is_refused_with_the_field_at_fault(given: Json, field: str) -> None:
    assert fields_at_fault(given) == [field]


@pytest.mark.parametrize("missing", ["customer_id", "currency", "lines"])
def test_a_missing_field_is_named(missing: str) -> None:
    given = order()
    del given[missing]
    assert fields_at_fault(given) == [missing]


def test_every_field_at_fault_is_named() -> None:
    wrong = order(currency="XYZ", lines=[{"sku": "", "quantity": 0}])
    assert fields_at_fault(wrong) == ["currency", "lines[0].sku", "lines[0].quantity"]


def test_a_sku_that_stands_in_two_lines_is_named() -> None:
    twice = [{"sku": sku, "quantity": 1} for sku in ("LAMP", "DESK", "LAMP")]
    with pytest.raises(ValidationError, match="SKU LAMP stands in two lines") as refused:
        NewOrder.model_validate(order(lines=twice))
    assert [fault["loc"] for fault in refused.value.errors()] == [("lines",)]
