"""Answers that are late, doubled, unasked for, or to another generation."""

from dataclasses import replace

import pytest

from sagaline.engine.events import CommandIssued, Ignored, Reason
from sagaline.engine.inputs import (
    Abort,
    Blocked,
    Delayed,
    Discarded,
    Parked,
    Refused,
    Succeeded,
    Undone,
    UndoNoop,
    UndoRefused,
)
from sagaline.engine.state import StepStatus
from sagaline.testing.stories import Story
from tests.unit.engine.shop import Authorize, Create, Reserve, Reserved, Tell
from tests.unit.engine.stories.situations import (
    ACTION,
    AFTER_THE_PIVOT,
    REVOKE,
    SENDINGS_MAX,
    UNDO,
    a_confirmed_order,
    a_trip_in_its_group,
    an_order,
    an_order_at_its_pivot,
)


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
