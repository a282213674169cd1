"""A parked command stops its timer, and counts as refused when it is given up."""

from sagaline.engine.events import Reason
from sagaline.engine.inputs import TimedOut
from sagaline.engine.state import SagaStatus, StepStatus
from tests.unit.engine.shop import Reject, Reserve
from tests.unit.engine.stories.situations import (
    ACTION,
    SENDINGS_MAX,
    a_confirmed_order,
    an_order,
    an_order_at_its_pivot,
)


def test_a_parked_command_stops_its_timer() -> None:
    saga = an_order().parked("create_order")
    step = saga.step("create_order")
    assert (step.parked, step.status, saga.saga.due_at) == (True, StepStatus.WAITING, None)
    saga.later(hours=1).hears(TimedOut("create_order", ACTION, 1, attempt=1))
    assert saga.ignored == [Reason.STALE]


def test_an_answer_unparks() -> None:
    saga = an_order().parked("create_order").succeeded("create_order")
    assert not saga.step("create_order").parked
    assert saga.sent_types[-1] is Reserve


def test_a_discarded_command_counts_as_refused() -> None:
    saga = an_order().succeeded("create_order").parked("reserve_stock").discarded("reserve_stock")
    assert (saga.state, saga.sent_types[-1]) == (SagaStatus.COMPENSATING, Reject)


def test_a_discarded_undo_counts_as_refused() -> None:
    saga = an_order().succeeded("create_order").refused("reserve_stock")
    saga.parked("create_order").discarded("create_order")
    assert saga.state == SagaStatus.NEEDS_ATTENTION


def test_a_discarded_pivot_turns_back() -> None:
    saga = an_order_at_its_pivot().parked("confirm_order").discarded("confirm_order")
    assert saga.state == SagaStatus.COMPENSATING
    assert (saga.view.failed_step, saga.view.code) == ("confirm_order", "discarded")


def test_a_discarded_retriable_calls_a_person_and_its_siblings_go_on() -> None:
    saga = a_confirmed_order().parked("capture_payment").discarded("capture_payment")
    saga.succeeded("commit_stock", "send_confirmation")
    assert saga.state == SagaStatus.NEEDS_ATTENTION
    assert (saga.view.verdict, saga.view.failed_step) == ("committed", "capture_payment")


def test_the_answer_to_a_redriven_undo_goes_on_with_the_others() -> None:
    saga = an_order().succeeded("create_order", "reserve_stock").refused("authorize_payment")
    saga.parked("reserve_stock").undone("reserve_stock")
    assert not saga.step("reserve_stock").parked
    assert saga.sent_types[-1] is Reject


def test_a_discarded_revoke_is_asked_again_once() -> None:
    saga = an_order_at_its_pivot().timed_out("confirm_order", times=SENDINGS_MAX)
    saga.parked("confirm_order").discarded("confirm_order")
    step = saga.step("confirm_order")
    assert (step.status, step.parked, step.attempt) == (StepStatus.IN_DOUBT, False, 2)
    assert saga.again().ignored == [Reason.DUPLICATE]


def test_a_parked_step_is_undone_like_any_other() -> None:
    saga = an_order().parked("create_order").aborted()
    step = saga.step("create_order")
    assert (step.status, step.parked) == (StepStatus.UNDOING, False)
    assert step.due_at is not None
