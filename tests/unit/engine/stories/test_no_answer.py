"""What is not answered is asked again, undone, revoked, or asked for ever."""

from datetime import timedelta

import pytest

from sagaline.engine.events import Reason, RevokeIssued
from sagaline.engine.inputs import Succeeded, TimedOut
from sagaline.engine.state import Certainty, Direction, SagaStatus, StepStatus
from sagaline.testing.stories import Sent
from tests.unit.engine.shop import Create, Reject, Tell, Void
from tests.unit.engine.stories.situations import (
    ACTION,
    AFTER_THE_PIVOT,
    REVOKE,
    SENDINGS_MAX,
    a_confirmed_order,
    an_order,
    an_order_at_its_pivot,
)


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
