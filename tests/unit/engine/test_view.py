"""What operators see of a saga."""

from sagaline.testing.stories import given
from tests.unit.engine.shop import AN_ORDER, PLACE_ORDER, TRIP


def test_steps_to_come_are_shown_as_planned() -> None:
    shown = given(PLACE_ORDER, AN_ORDER).succeeded("create_order").view
    assert [(s.name, s.status) for s in shown.steps[:3]] == [
        ("create_order", "SUCCEEDED"),
        ("reserve_stock", "WAITING"),
        ("authorize_payment", "PLANNED"),
    ]
    assert {s.status for s in shown.steps[3:]} == {"PLANNED"}


def test_a_step_shows_its_times_and_attempts() -> None:
    saga = given(PLACE_ORDER, AN_ORDER).timed_out("create_order").later(seconds=1)
    begun = saga.saga.started_at
    step = saga.succeeded("create_order").view.steps[0]
    assert (step.attempts, step.started_at, step.ended_at) == (2, begun, saga.now)


def test_the_first_refusal_is_the_one_that_is_shown() -> None:
    saga = given(TRIP, AN_ORDER).succeeded("create_order")
    saga.refused("reserve_stock", code="out_of_stock", detail="None left.")
    saga.undo_refused("authorize_payment", code="settled").undone("create_order")
    shown = saga.view
    refusal = (shown.failed_step, shown.code, shown.detail)
    assert refusal == ("reserve_stock", "out_of_stock", "None left.")
    assert shown.steps[2].code == "settled"


def test_the_verdict_is_committed_from_the_pivot_on() -> None:
    saga = given(PLACE_ORDER, AN_ORDER)
    saga.succeeded("create_order", "reserve_stock", "authorize_payment")
    assert saga.view.verdict == "open"
    assert saga.succeeded("confirm_order").view.verdict == "committed"
    assert saga.refused("commit_stock").view.verdict == "committed"


def test_the_verdict_is_compensated_as_soon_as_all_is_undone() -> None:
    saga = given(TRIP, AN_ORDER).succeeded("create_order").refused("reserve_stock")
    saga.undo_noop("authorize_payment")
    assert saga.view.verdict == "open"
    assert saga.undone("create_order").view.verdict == "compensated"
