"""`place-order` as its participants see it, and every state that it can get into."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

import schemas
from saga_orchestrator.sagas.place_order import PLACE_ORDER
from sagaline.engine.events import Reason
from sagaline.engine.inputs import Refused, Succeeded
from sagaline.engine.state import Certainty, Direction, SagaStatus
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


def an_order() -> Story:
    return given(PLACE_ORDER, AN_ORDER, messages=MESSAGES, key=str(ORDER_ID))


def an_order_with_stock() -> Story:
    return an_order().succeeded("create_order").succeeded("reserve_stock", reply=PRICED)


def test_an_order_is_written_down_and_its_stock_reserved_side_by_side() -> None:
    saga = an_order()
    assert saga.sent_types == [CreateOrder, ReserveStock]
    saga.succeeded("reserve_stock", reply=PRICED)
    assert saga.sent_types == [CreateOrder, ReserveStock]
    assert saga.succeeded("create_order").sent_types[-1] is AuthorizePayment


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


def test_a_declined_card_releases_the_stock_and_rejects_the_order() -> None:
    saga = an_order_with_stock().refused("authorize_payment", code="credit_exceeded", detail="No.")
    assert saga.sent_types[-2:] == [RejectOrder, ReleaseStock]
    saga.undone("create_order", "reserve_stock")
    assert saga.sent[-1].message == SendRejection(
        order_id=ORDER_ID, customer_id="ada", code="credit_exceeded", detail="No."
    )


def test_a_customer_is_told_of_the_rejection_when_both_are_undone_in_whatever_order() -> None:
    saga = an_order_with_stock().refused("authorize_payment").undone("reserve_stock")
    assert (saga.sent_types[-1], saga.view.verdict) == (ReleaseStock, "open")
    saga.undone("create_order")
    assert (saga.sent_types[-1], saga.view.verdict) == (SendRejection, "compensated")


def test_a_silent_payment_is_voided_before_anything_else_is_undone() -> None:
    saga = an_order_with_stock().timed_out("authorize_payment", times=6)
    assert saga.sent_types[-1] is VoidPayment
    saga.undo_noop("authorize_payment")
    assert saga.sent_types[-2:] == [RejectOrder, ReleaseStock]


def test_without_stock_an_order_is_rejected_whose_writing_down_nobody_has_heard_of() -> None:
    saga = an_order().refused("reserve_stock", code="out_of_stock", detail="None left.")
    # It goes where its action went, and after it: so the order is there to be rejected.
    assert saga.sent_types == [CreateOrder, ReserveStock, RejectOrder]
    assert saga.step("create_order").certainty == Certainty.IN_DOUBT
    saga.hears(Succeeded("create_order", Direction.ACTION, 1)).undone("create_order")
    assert saga.ignored == [Reason.LATE]
    assert saga.sent[-1].message == SendRejection(
        order_id=ORDER_ID, customer_id="ada", code="out_of_stock", detail="None left."
    )


def test_without_stock_an_order_is_rejected_that_was_written_down() -> None:
    saga = an_order().succeeded("create_order").refused("reserve_stock")
    assert saga.step("create_order").certainty == Certainty.DONE
    assert saga.undone("create_order").sent_types[-2:] == [RejectOrder, SendRejection]


def test_of_two_refusals_the_first_is_the_reason_and_nothing_is_left_to_undo() -> None:
    saga = an_order().refused("reserve_stock", code="out_of_stock", detail="None left.")
    saga.hears(Refused("create_order", Direction.ACTION, 1, "no_lines", "Nothing is ordered."))
    assert saga.undo_noop("create_order").sent[-1].message == SendRejection(
        order_id=ORDER_ID, customer_id="ada", code="out_of_stock", detail="None left."
    )
    assert saga.succeeded("send_rejection").state == SagaStatus.COMPENSATED


def test_a_sibling_put_aside_is_undone_like_any_other() -> None:
    saga = an_order().parked("create_order").refused("reserve_stock")
    step = saga.step("create_order")
    assert (step.status, step.certainty, step.parked) == ("UNDOING", Certainty.IN_DOUBT, False)
    assert saga.undo_noop("create_order").sent_types[-1] is SendRejection


def test_a_silent_sibling_takes_the_stock_with_it() -> None:
    saga = an_order().succeeded("reserve_stock", reply=PRICED).timed_out("create_order", times=6)
    assert saga.sent_types[-2:] == [RejectOrder, ReleaseStock]
    certainties = [saga.step(name).certainty for name in ("create_order", "reserve_stock")]
    assert certainties == [Certainty.IN_DOUBT, Certainty.DONE]
    assert (saga.view.failed_step, saga.view.code) == ("create_order", "no_answer")


TWO_REFUSALS = Bounds(timeouts_per_command=2, refusals=2, parkings=0, delays=0)
ONE_PARKED = Bounds(timeouts_per_command=0, refusals=1, parkings=1, delays=0)


@pytest.mark.parametrize("bounds", [TWO_REFUSALS, ONE_PARKED], ids=["two-refusals", "one-parked"])
def test_whatever_happens_an_order_is_confirmed_whole_or_leaves_nothing(
    bounds: Bounds, tell: Callable[[str], None]
) -> None:
    seen = walk(PLACE_ORDER.with_timeouts(resends_max=1), AN_ORDER, MESSAGES, bounds)
    tell(str(seen))  # the bounds and the count are part of the proof
    assert {SagaStatus.COMPLETED, SagaStatus.COMPENSATED} < seen.states.keys()
