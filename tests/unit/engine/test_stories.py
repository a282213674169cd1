"""One story a rule: what participants answer, and what the saga makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sagaline.engine.events import CommandIssued, Ignored, Reason, RevokeIssued
from sagaline.engine.inputs import (
    Abort,
    Blocked,
    Delayed,
    Discarded,
    Parked,
    Refused,
    Succeeded,
    TimedOut,
    Undone,
    UndoNoop,
    UndoRefused,
)
from sagaline.engine.state import Certainty, Direction, SagaStatus, StepStatus
from sagaline.testing.stories import Sent, Story, given
from tests.unit.engine.shop import (
    AN_ORDER,
    PLACE_ORDER,
    TRIP,
    Authorize,
    Capture,
    Commit,
    Confirm,
    Create,
    Reject,
    Release,
    Reserve,
    Reserved,
    Tell,
    Void,
)

ACTION, UNDO, REVOKE = Direction.ACTION, Direction.UNDO, Direction.REVOKE
BEFORE_THE_PIVOT = ("create_order", "reserve_stock", "authorize_payment")
AFTER_THE_PIVOT = ("commit_stock", "capture_payment", "send_confirmation")
SENDINGS_MAX = 6  # the first, and five resends


def an_order() -> Story:
    return given(PLACE_ORDER, AN_ORDER)


def an_order_at_its_pivot() -> Story:
    return an_order().succeeded(*BEFORE_THE_PIVOT)


def a_confirmed_order() -> Story:
    return an_order_at_its_pivot().succeeded("confirm_order")


def a_trip_in_its_group() -> Story:
    return given(TRIP, AN_ORDER).succeeded("create_order")


# --- forward


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


# --- backward


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


# --- abort


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


# --- no answer


def test_what_is_not_answered_is_asked_again_with_backoff() -> None:
    saga = an_order().timed_out("create_order", times=2)
    assert saga.sent == [
        Sent("create_order", ACTION, attempt, Create("4711")) for attempt in (1, 2, 3)
    ]
    assert saga.saga.due_at == saga.now + timedelta(seconds=12)
    assert not saga.step("create_order").stalled


def test_a_compensatable_step_that_stays_silent_is_undone_with_the_others() -> None:
    saga = an_order().succeeded("create_order").timed_out("reserve_stock", times=SENDINGS_MAX)
    step = saga.step("reserve_stock")
    assert (step.status, step.certainty) == (StepStatus.UNDOING, Certainty.IN_DOUBT)
    assert (saga.view.failed_step, saga.view.code) == ("reserve_stock", "no_answer")
    saga.undo_noop("reserve_stock").undone("create_order")
    assert saga.sent_types[-2:] == [Reject, Tell]


def test_a_silent_pivot_is_revoked_for_as_long_as_it_takes() -> None:
    saga = an_order_at_its_pivot().timed_out("confirm_order", times=SENDINGS_MAX)
    assert saga.step("confirm_order").status == StepStatus.IN_DOUBT
    assert (saga.state, saga.sent_types[-1]) == (SagaStatus.RUNNING, RevokeIssued)
    saga.timed_out("confirm_order", times=SENDINGS_MAX)
    assert saga.sent_types[-SENDINGS_MAX:] == [RevokeIssued] * SENDINGS_MAX
    assert saga.step("confirm_order").stalled


def test_a_pivot_that_was_revoked_in_time_goes_backward() -> None:
    saga = an_order_at_its_pivot().timed_out("confirm_order", times=SENDINGS_MAX)
    saga.blocked("confirm_order")
    assert (saga.state, saga.sent_types[-1]) == (SagaStatus.COMPENSATING, Void)
    assert (saga.view.failed_step, saga.view.code) == ("confirm_order", "revoked")


@pytest.mark.parametrize("direction", [ACTION, REVOKE])
def test_a_pivot_that_had_happened_commits(direction: Direction) -> None:
    saga = an_order_at_its_pivot().timed_out("confirm_order", times=SENDINGS_MAX)
    saga.hears(Succeeded("confirm_order", direction, 1, saga.reply_of("confirm_order")))
    assert saga.state == SagaStatus.COMMITTED


def test_a_pivot_that_had_been_refused_goes_backward() -> None:
    saga = an_order_at_its_pivot().timed_out("confirm_order", times=SENDINGS_MAX)
    saga.refused("confirm_order")
    assert saga.state == SagaStatus.COMPENSATING


def test_a_retriable_step_is_asked_for_ever_and_shows_as_stalled() -> None:
    saga = a_confirmed_order().timed_out("commit_stock", times=SENDINGS_MAX - 1)
    assert not saga.step("commit_stock").stalled
    saga.timed_out("commit_stock", times=20)
    assert saga.step("commit_stock").stalled
    assert saga.sent[-1].attempt == SENDINGS_MAX + 20
    saga.succeeded(*AFTER_THE_PIVOT)
    assert saga.state == SagaStatus.COMPLETED
    assert not saga.step("commit_stock").stalled


def test_an_undo_is_asked_for_ever() -> None:
    saga = an_order().succeeded("create_order").refused("reserve_stock")
    saga.timed_out("create_order", times=20)
    assert saga.step("create_order").stalled
    assert saga.undone("create_order").sent_types[-1] is Tell


def test_a_timer_counts_for_its_own_attempt_only() -> None:
    saga = an_order().timed_out("create_order")
    saga.later(minutes=1).hears(TimedOut("create_order", ACTION, 1, attempt=1))
    assert saga.ignored == [Reason.STALE]


def test_a_timer_that_fires_early_counts_for_nothing() -> None:
    saga = an_order().later(seconds=9).hears(TimedOut("create_order", ACTION, 1, attempt=1))
    assert saga.ignored == [Reason.STALE]


def test_a_command_that_the_participant_has_yet_to_read_is_not_sent_again() -> None:
    saga = an_order().later(seconds=10).delayed("create_order")
    assert saga.step("create_order").status == StepStatus.QUEUED
    assert saga.saga.due_at == saga.now + timedelta(seconds=10)
    assert len(saga.sent) == 1
    assert saga.succeeded("create_order").step("create_order").status == StepStatus.SUCCEEDED


def test_a_delayed_command_is_asked_again_when_it_was_read_and_not_answered() -> None:
    saga = an_order().later(seconds=10).delayed("create_order").timed_out("create_order")
    step = saga.step("create_order")
    assert (step.status, step.attempt) == (StepStatus.WAITING, 2)


def test_a_delay_shows_an_undo_as_an_undo() -> None:
    saga = an_order().succeeded("create_order").refused("reserve_stock").delayed("create_order")
    assert saga.step("create_order").status == StepStatus.UNDOING


def test_a_command_that_cannot_be_published_shows_as_stalled() -> None:
    saga = an_order().delayed("create_order", stalled=True)
    assert saga.step("create_order").stalled
    assert not saga.delayed("create_order").step("create_order").stalled


# --- parked


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


# --- late, doubled, of another generation


def test_a_duplicate_changes_nothing_and_is_told_from_a_late_answer() -> None:
    saga = an_order().succeeded("create_order").again()
    assert saga.ignored == [Reason.DUPLICATE]
    assert saga.sent_types == [Create, Reserve]


def test_a_late_success_of_what_is_being_undone_is_kept_without_effect() -> None:
    saga = an_order().timed_out("create_order", times=SENDINGS_MAX)
    saga.hears(Succeeded("create_order", ACTION, 1)).again()
    assert saga.ignored == [Reason.LATE, Reason.DUPLICATE]
    assert saga.step("create_order").status == StepStatus.UNDOING
    assert saga.undone("create_order").sent_types[-1] is Tell


def test_a_late_refusal_of_a_sibling_changes_nothing() -> None:
    saga = a_trip_in_its_group().refused("reserve_stock")
    saga.hears(Refused("authorize_payment", ACTION, 1))
    assert saga.ignored == [Reason.LATE]
    assert saga.step("authorize_payment").status == StepStatus.UNDOING


def test_the_action_parked_late_does_not_stop_the_timer_of_its_revoke() -> None:
    saga = an_order_at_its_pivot().timed_out("confirm_order", times=SENDINGS_MAX)
    saga.hears(Parked("confirm_order", ACTION, 1))
    assert saga.ignored == [Reason.LATE]
    assert saga.step("confirm_order").due_at is not None


@pytest.mark.parametrize(
    "unasked",
    [
        Succeeded("nowhere", ACTION, 1),
        Succeeded("reserve_stock", ACTION, 1),
        Succeeded("create_order", ACTION, 2),
        Succeeded("create_order", UNDO, 1),
        Undone("create_order", UNDO, 1),
        Undone("create_order", ACTION, 1),
        Succeeded("create_order", REVOKE, 1),
        Discarded("create_order", REVOKE, 1),
        UndoNoop("create_order", UNDO, 1),
        Blocked("create_order", UNDO, 1),
        Delayed("reserve_stock", ACTION, 1, attempt=1),
    ],
    ids=str,
)
def test_an_answer_that_nobody_asked_for_changes_nothing(unasked: Succeeded) -> None:
    saga = an_order()
    before = saga.saga.steps["create_order"].status
    saga.hears(unasked)
    assert saga.ignored == [Reason.UNEXPECTED]
    assert saga.saga.steps["create_order"].status == before


def test_an_answer_that_comes_before_its_question_counts_when_it_is_repeated() -> None:
    early = Succeeded("reserve_stock", ACTION, 1, Reserved("4711", 1))
    saga = an_order().hears(early).succeeded("create_order").hears(early)
    assert saga.ignored == [Reason.UNEXPECTED]
    assert saga.sent_types[-1] is Authorize


def asked_again(saga: Story, step: str) -> Story:
    """As an operator's retry leaves it: the same command in the next generation."""
    steps = {**saga.saga.steps, step: replace(saga.step(step), generation=2, heard=())}
    saga.saga = replace(saga.saga, steps=steps)
    return saga


def test_an_old_no_does_not_beat_a_retry_but_an_old_yes_does() -> None:
    saga = asked_again(an_order(), "create_order")
    saga.hears(Refused("create_order", ACTION, 1)).hears(Parked("create_order", ACTION, 1))
    assert saga.ignored == [Reason.STALE, Reason.STALE]
    saga.hears(Succeeded("create_order", ACTION, 1, saga.reply_of("create_order")))
    assert saga.sent_types[-1] is Reserve


def test_an_old_no_of_an_undo_does_not_beat_a_retry_but_an_old_yes_does() -> None:
    saga = an_order().succeeded("create_order").refused("reserve_stock")
    asked_again(saga, "create_order").hears(UndoRefused("create_order", UNDO, 1))
    assert saga.ignored == [Reason.STALE]
    assert saga.hears(Undone("create_order", UNDO, 1)).sent_types[-1] is Tell


def test_what_is_ignored_sends_nothing() -> None:
    saga = a_confirmed_order().succeeded(*AFTER_THE_PIVOT).again().hears(Abort())
    last = [event for entry in saga.history[-2:] for event in entry.events]
    assert all(isinstance(event, Ignored) for event in last)
    assert not any(isinstance(event, CommandIssued) for event in last)
