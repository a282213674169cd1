"""`place-order` as its participants see it, and every state that it can get into."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

import schemas
from saga_orchestrator.sagas.place_order import PLACE_ORDER
from sagaline.engine.state import SagaStatus
from sagaline.testing.stories import Story, given
from sagaline.testing.walk import Bounds, walk
from schemas.messages import (
    AuthorizePayment,
    CapturePayment,
    CommitStock,
    ConfirmOrder,
    CreateOrder,
    OrderLine,
    PlaceOrder,
    PricedLine,
    RejectOrder,
    ReleaseStock,
    ReserveStock,
    SendConfirmation,
    SendRejection,
    StockReserved,
    VoidPayment,
)

ORDER_ID = UUID("01998a3e-0000-7000-8000-000000004711")
AN_ORDER = PlaceOrder(
    order_id=ORDER_ID,
    customer_id="ada",
    currency="EUR",
    lines=(OrderLine(sku="LAMP-1", quantity=2),),
    placed_at=datetime(2026, 1, 1, tzinfo=UTC),
)
PRICED = StockReserved(
    order_id=ORDER_ID,
    lines=(PricedLine(sku="LAMP-1", quantity=2, price_minor=2_100),),
    total_minor=4_200,
    currency="EUR",
)
MESSAGES = schemas.CATALOG.messages


def an_order_with_stock() -> Story:
    saga = given(PLACE_ORDER, AN_ORDER, messages=MESSAGES, key=str(ORDER_ID))
    return saga.succeeded("create_order").succeeded("reserve_stock", reply=PRICED)


def test_an_order_is_confirmed_for_what_inventory_priced() -> None:
    saga = an_order_with_stock()
    saga.succeeded("authorize_payment", "confirm_order")
    saga.succeeded("commit_stock", "capture_payment", "send_confirmation")
    assert saga.state == SagaStatus.COMPLETED
    assert saga.sent_types == [
        CreateOrder,
        ReserveStock,
        AuthorizePayment,
        ConfirmOrder,
        CommitStock,
        CapturePayment,
        SendConfirmation,
    ]
    asked = {type(sent.message): sent.message for sent in saga.sent}
    assert asked[AuthorizePayment] == AuthorizePayment(
        order_id=ORDER_ID, customer_id="ada", amount_minor=4_200, currency="EUR"
    )
    assert asked[SendConfirmation] == SendConfirmation(
        order_id=ORDER_ID, customer_id="ada", total_minor=4_200, currency="EUR"
    )


def test_a_declined_card_releases_the_stock_and_then_rejects_the_order() -> None:
    saga = an_order_with_stock().refused("authorize_payment", code="credit_exceeded", detail="No.")
    saga.undone("reserve_stock", "create_order")
    assert saga.sent_types[-3:] == [ReleaseStock, RejectOrder, SendRejection]
    assert saga.sent[-1].message == SendRejection(
        order_id=ORDER_ID, customer_id="ada", code="credit_exceeded", detail="No."
    )


def test_a_silent_payment_is_voided_before_the_stock_is_released() -> None:
    saga = an_order_with_stock().timed_out("authorize_payment", times=6)
    saga.undo_noop("authorize_payment").undone("reserve_stock", "create_order")
    assert saga.sent_types[-4:] == [VoidPayment, ReleaseStock, RejectOrder, SendRejection]


def test_whatever_happens_an_order_is_confirmed_whole_or_leaves_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bounds = Bounds(timeouts_per_command=2, refusals=2, parkings=0, delays=0, aborts=1)
    seen = walk(PLACE_ORDER.with_timeouts(resends_max=1), AN_ORDER, MESSAGES, bounds)
    with capsys.disabled():
        print(f"\n{seen}")  # noqa: T201 - the bounds and the count are part of the proof
    assert {SagaStatus.COMPLETED, SagaStatus.COMPENSATED} < seen.states.keys()
