"""A refusal, or an operator's abort, undoes what was done, or may have been."""

import pytest

from sagaline.engine.events import Reason
from sagaline.engine.inputs import Abort
from sagaline.engine.state import Certainty, SagaStatus, StepStatus
from tests.unit.engine.shop import Create, Reject, Release, Tell, Void
from tests.unit.engine.stories.situations import (
    BEFORE_THE_PIVOT,
    a_trip_in_its_group,
    an_order,
    an_order_at_its_pivot,
)


def test_a_refusal_undoes_what_was_done_newest_first_and_then_says_so() -> None:
    saga = an_order().succeeded("create_order", "reserve_stock")
    saga.refused("authorize_payment", code="card_declined")
    assert (saga.state, saga.sent_types[3:]) == (SagaStatus.COMPENSATING, [Release])
    saga.undone("reserve_stock", "create_order")
    assert saga.sent_types[-3:] == [Release, Reject, Tell]
    assert saga.sent[-1].message == Tell("4711", "authorize_payment: card_declined")
    assert (saga.state, saga.view.verdict) == (SagaStatus.COMPENSATING, "compensated")
    assert saga.succeeded("send_rejection").state == SagaStatus.COMPENSATED


def test_a_refused_first_step_leaves_nothing_to_undo() -> None:
    saga = an_order().refused("create_order")
    assert saga.sent_types == [Create, Tell]


def test_a_refused_pivot_goes_backward() -> None:
    saga = an_order_at_its_pivot().refused("confirm_order")
    assert saga.sent_types[-1] is Void
    saga.undone("authorize_payment", "reserve_stock", "create_order").succeeded("send_rejection")
    assert saga.state == SagaStatus.COMPENSATED


def test_a_refused_step_of_a_group_undoes_its_siblings_at_once_waiting_or_not() -> None:
    saga = a_trip_in_its_group().refused("reserve_stock")
    assert saga.sent_types[-1] is Void
    assert saga.step("authorize_payment").certainty == Certainty.IN_DOUBT
    saga.undo_noop("authorize_payment").undone("create_order")
    assert saga.state == SagaStatus.COMPENSATED


def test_an_undo_says_whether_its_action_was_surely_done() -> None:
    saga = a_trip_in_its_group().succeeded("authorize_payment").refused("reserve_stock")
    assert saga.step("authorize_payment").certainty == Certainty.DONE
    saga.timed_out("authorize_payment")
    assert saga.step("authorize_payment").certainty == Certainty.DONE


def test_the_group_before_is_undone_when_all_of_one_is_settled() -> None:
    saga = a_trip_in_its_group().succeeded("authorize_payment", "reserve_stock")
    saga.refused("confirm_order")
    assert saga.sent_types[-2:] == [Release, Void]
    assert saga.undone("reserve_stock").sent_types[-1] is Void
    assert saga.undone("authorize_payment").sent_types[-1] is Reject


def test_a_refused_undo_lets_the_others_go_on_and_then_calls_a_person() -> None:
    saga = an_order_at_its_pivot().refused("confirm_order")
    saga.undo_refused("authorize_payment", code="settled", detail="It was settled.")
    assert (saga.state, saga.sent_types[-1]) == (SagaStatus.COMPENSATING, Release)
    saga.undone("reserve_stock", "create_order")
    assert (saga.state, saga.view.verdict) == (SagaStatus.NEEDS_ATTENTION, "open")
    assert saga.sent_types[-1] is Reject
    assert saga.step("authorize_payment").status == StepStatus.UNDO_BLOCKED
    assert saga.view.failed_step == "confirm_order"


def test_a_refused_rejection_calls_a_person_though_nothing_is_left_to_undo() -> None:
    saga = an_order().refused("create_order").refused("send_rejection")
    assert (saga.state, saga.view.verdict) == (SagaStatus.NEEDS_ATTENTION, "compensated")


@pytest.mark.parametrize("done", range(3))
def test_a_saga_can_be_aborted_before_its_pivot(done: int) -> None:
    saga = an_order().succeeded(*BEFORE_THE_PIVOT[:done]).aborted("changed my mind")
    asked = saga.step(BEFORE_THE_PIVOT[done])
    assert (asked.status, asked.certainty) == (StepStatus.UNDOING, Certainty.IN_DOUBT)
    saga.undo_noop(BEFORE_THE_PIVOT[done]).undone(*reversed(BEFORE_THE_PIVOT[:done]))
    assert saga.succeeded("send_rejection").state == SagaStatus.COMPENSATED
    shown = saga.view
    assert (shown.failed_step, shown.code, shown.detail) == (None, "aborted", "changed my mind")


def test_once_its_pivot_is_asked_for_only_the_answer_decides() -> None:
    saga = an_order_at_its_pivot().hears(Abort())
    assert saga.ignored == [Reason.PIVOT_ISSUED]
    assert saga.succeeded("confirm_order").state == SagaStatus.COMMITTED


@pytest.mark.parametrize("steps", [[*BEFORE_THE_PIVOT, "confirm_order"], ["create_order"]])
def test_a_saga_on_its_way_to_an_end_is_not_aborted(steps: list[str]) -> None:
    saga = an_order().succeeded(*steps)
    saga = saga if len(steps) > 1 else saga.refused("reserve_stock")
    before = saga.state
    saga.hears(Abort())
    assert (saga.ignored, saga.state) == ([Reason.LATE], before)
