"""What goes well leads to the end, and what can't be refused calls a person."""

from sagaline.engine.events import Reason
from sagaline.engine.state import SagaStatus, StepStatus
from tests.unit.engine.shop import (
    Authorize,
    Capture,
    Commit,
    Confirm,
    Create,
    Reserve,
    Reserved,
    Tell,
)
from tests.unit.engine.stories.situations import (
    AFTER_THE_PIVOT,
    a_confirmed_order,
    a_trip_in_its_group,
    an_order,
)


def test_all_goes_well() -> None:
    saga = a_confirmed_order()
    assert saga.state == SagaStatus.COMMITTED
    assert saga.sent_types == [Create, Reserve, Authorize, Confirm, Commit, Capture, Tell]
    assert saga.succeeded(*AFTER_THE_PIVOT).state == SagaStatus.COMPLETED
    assert saga.saga.due_at is None


def test_a_builder_gets_the_replies_that_it_asks_for() -> None:
    saga = an_order().succeeded("create_order")
    saga.succeeded("reserve_stock", reply=Reserved("4711", total_minor=4_200))
    assert saga.sent[-1].message == Authorize("4711", amount_minor=4_200)


def test_a_group_ends_when_all_of_it_succeeded_in_whatever_order() -> None:
    saga = a_confirmed_order().succeeded("send_confirmation", "commit_stock")
    assert saga.state == SagaStatus.COMMITTED
    assert saga.succeeded("capture_payment").state == SagaStatus.COMPLETED


def test_a_saga_without_retriable_steps_is_completed_by_its_pivot() -> None:
    saga = a_trip_in_its_group().succeeded("authorize_payment", "reserve_stock", "confirm_order")
    assert saga.state == SagaStatus.COMPLETED


def test_a_saga_is_started_once() -> None:
    saga = an_order().again()
    assert saga.ignored == [Reason.DUPLICATE]
    assert saga.sent_types == [Create]


def test_a_refused_retriable_calls_a_person_and_its_siblings_go_on() -> None:
    saga = a_confirmed_order().refused("capture_payment", code="gone")
    assert saga.state == SagaStatus.NEEDS_ATTENTION
    saga.timed_out("commit_stock").succeeded("commit_stock", "send_confirmation")
    assert saga.state == SagaStatus.NEEDS_ATTENTION
    assert (saga.view.verdict, saga.view.failed_step) == ("committed", "capture_payment")


def test_a_second_refused_retriable_calls_nobody_again() -> None:
    saga = a_confirmed_order().refused("capture_payment").refused("commit_stock")
    assert saga.view.failed_step == "capture_payment"
    assert saga.step("commit_stock").status == StepStatus.FAILED
