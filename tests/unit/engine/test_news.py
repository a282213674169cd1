"""What others are told at once, and what can wait. That silence hides nothing the walk checks."""

from sagaline.engine.machine import fold
from sagaline.engine.news import is_news
from sagaline.testing.stories import Story, given
from tests.unit.engine.shop import AN_ORDER, PLACE_ORDER, TRIP


def news(story: Story) -> list[bool]:
    """For each input of the story whether others were told of it."""
    found, before = [], story.planned
    for entry in story.history:
        after = fold(before, entry.events)
        found.append(is_news(before, entry.events, after))
        before = after
    return found


def test_each_step_that_nobody_works_beside_is_told() -> None:
    saga = given(PLACE_ORDER, AN_ORDER).succeeded("create_order", "reserve_stock")
    assert news(saga) == [True] * 3


def test_of_a_group_its_last_step_is_told() -> None:
    saga = given(TRIP, AN_ORDER).succeeded("create_order")
    first, *others = [step.name for step in saga.saga.steps.values() if step.due_at is not None]
    assert others, "it has a group"
    saga.succeeded(first, *others)
    assert news(saga)[2:] == [False] * len(others) + [True]


def test_a_refusal_is_told_beside_a_sibling_at_work() -> None:
    saga = given(TRIP, AN_ORDER).succeeded("create_order")
    first = next(step.name for step in saga.saga.steps.values() if step.due_at is not None)
    assert news(saga.refused(first))[-1]


def test_a_step_that_was_told_to_be_late_is_told_to_be_done() -> None:
    saga = given(TRIP, AN_ORDER).succeeded("create_order")
    first = next(step.name for step in saga.saga.steps.values() if step.due_at is not None)
    assert news(saga.delayed(first).succeeded(first))[-2:] == [True, True]


def test_what_changes_nothing_is_never_told() -> None:
    saga = given(PLACE_ORDER, AN_ORDER).succeeded("create_order").again()
    assert news(saga)[-1] is False
