"""What of a saga's course everyone is told at once."""

import sys
from datetime import datetime

import pytest

from sagaline.engine.definition import Saga
from sagaline.engine.events import Event
from sagaline.engine.inputs import Input
from sagaline.engine.machine import decide, fold
from sagaline.engine.state import SagaState, StepState, StepStatus
from sagaline.engine.telling import is_told
from sagaline.engine.view import verdict
from sagaline.testing.samples import messages_beside
from sagaline.testing.stories import Story, given
from sagaline.testing.walk import Bounds, walk
from tests.unit.engine.shop import AN_ORDER, PLACE_ORDER, TRIP, Order

GOES_WELL = frozenset(
    {
        StepStatus.WAITING,
        StepStatus.SUCCEEDED,
        StepStatus.UNDOING,
        StepStatus.UNDONE,
        StepStatus.UNDO_NOOP,
    }
)


def last_told(story: Story) -> bool:
    """Whether a snapshot is due for the last that the story's saga heard."""
    *earlier, last = story.history
    before = fold(story.planned, [event for entry in earlier for event in entry.events])
    return is_told(before, last.events)


def to_act_upon(saga: SagaState) -> object:
    """All of a saga that anybody outside can act upon."""
    return saga.status, verdict(saga), saga.refusal, [*map(of_step, saga.steps.values())]


def of_step(step: StepState) -> object:
    goes = "well" if step.status in GOES_WELL else step.status
    asked = (step.direction, step.generation, step.attempt)
    return goes, asked, step.code, step.detail, step.parked, step.stalled


def test_the_start_is_told() -> None:
    assert last_told(given(TRIP, AN_ORDER))


def test_what_leaves_only_siblings_to_wait_for_is_told_with_the_next() -> None:
    saga = given(TRIP, AN_ORDER)
    assert last_told(saga.succeeded("create_order"))  # which asks for the next group
    assert not last_told(saga.succeeded("authorize_payment"))
    assert last_told(saga.succeeded("reserve_stock"))


def test_a_step_that_is_late_is_told_and_told_when_it_is_done() -> None:
    saga = given(TRIP, AN_ORDER).timed_out("create_order")
    assert last_told(saga)
    assert last_told(saga.succeeded("create_order"))


def test_a_refusal_is_told() -> None:
    assert last_told(given(TRIP, AN_ORDER).refused("create_order"))


def test_what_was_ignored_is_not_told() -> None:
    assert not last_told(given(TRIP, AN_ORDER).succeeded("create_order").again())


@pytest.mark.parametrize("definition", [PLACE_ORDER, TRIP], ids=["place-order", "trip"])
def test_whatever_happens_what_can_be_acted_upon_and_the_end_are_told(
    definition: Saga, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {True: 0, False: 0}

    def watched(saga: SagaState, received: Input, now: datetime) -> list[Event]:
        events = decide(saga, received, now)
        after = fold(saga, events)
        told[is_told(saga, events)] += 1
        if not is_told(saga, events):
            assert to_act_upon(after) == to_act_upon(saga), events
            assert after.ended == saga.ended
        return events

    monkeypatch.setattr(sys.modules[walk.__module__], "decide", watched)
    bounds = Bounds(timeouts_per_command=1, refusals=1, parkings=1, delays=1)
    quickly_in_doubt = definition.with_timeouts(resends_max=0)
    walk(quickly_in_doubt, AN_ORDER, messages_beside(Order), bounds)
    assert min(told.values()) > 100
