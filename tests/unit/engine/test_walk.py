"""Every state that a saga can get into, and proof that the walk would see what is wrong."""

from collections.abc import Callable
from datetime import datetime

import pytest

from sagaline.engine import course, machine
from sagaline.engine.definition import Kind, Refusal, Saga
from sagaline.engine.evolution import Turn
from sagaline.engine.inputs import Abort, Refused
from sagaline.engine.sending import ask_undo
from sagaline.engine.state import Direction, SagaStatus, StepState, StepStatus
from sagaline.testing.invariants import Broken
from sagaline.testing.samples import messages_beside
from sagaline.testing.walk import Bounds, walk
from tests.unit.engine.shop import AN_ORDER, PLACE_ORDER, TRIP, Order

MESSAGES = messages_beside(Order)
TWO_REFUSALS = Bounds(timeouts_per_command=2, refusals=2, parkings=0, delays=0)
ONE_PARKED = Bounds(timeouts_per_command=1, refusals=1, parkings=1, delays=0)

ONE_DELAYED = Bounds(timeouts_per_command=1, refusals=1, parkings=0, delays=1)


def quickly_in_doubt(definition: Saga, bounds: Bounds = TWO_REFUSALS) -> Saga:
    """With as few resends as let its steps be in doubt within the bounds."""
    return definition.with_timeouts(resends_max=bounds.timeouts_per_command - 1)


@pytest.mark.parametrize(
    "bounds",
    [TWO_REFUSALS, ONE_PARKED, ONE_DELAYED],
    ids=["two-refusals", "one-parked", "one-delayed"],
)
@pytest.mark.parametrize("definition", [PLACE_ORDER, TRIP], ids=["place-order", "trip"])
def test_whatever_happens_everything_happens_or_everything_is_undone(
    definition: Saga, bounds: Bounds, tell: Callable[[str], None]
) -> None:
    seen = walk(quickly_in_doubt(definition, bounds), AN_ORDER, MESSAGES, bounds)
    tell(str(seen))  # the bounds and the count are part of the proof
    assert {SagaStatus.COMPLETED, SagaStatus.COMPENSATED} < seen.states.keys()
    assert sum(seen.states.values()) > 1_000


def test_without_trouble_there_is_one_end() -> None:
    smooth = Bounds(timeouts_per_command=0, refusals=0, parkings=0, delays=0, aborts=0)
    seen = walk(PLACE_ORDER, AN_ORDER, MESSAGES, smooth)
    assert seen.states.keys() == {
        SagaStatus.RUNNING,
        SagaStatus.COMMITTED,
        SagaStatus.COMPLETED,
    }


def test_without_refusals_nobody_is_called() -> None:
    seen = walk(
        quickly_in_doubt(PLACE_ORDER), AN_ORDER, MESSAGES, Bounds(refusals=0, parkings=0, delays=0)
    )
    assert SagaStatus.NEEDS_ATTENTION not in seen.states


def a_sibling_that_waits_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "UNDOABLE", frozenset({StepStatus.SUCCEEDED}))


def a_silent_pivot_counts_as_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    overdue = machine.overdue

    def hasty(turn: Turn, step: StepState, now: datetime) -> None:
        if step.kind is not Kind.PIVOT:
            overdue(turn, step, now)
        else:
            machine.refused(turn, Refused(step.name, Direction.ACTION, 1, "no_answer"), now)

    monkeypatch.setattr(machine, "overdue", hasty)


def an_abort_is_in_time_until_the_pivot_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    abort = machine.abort

    def rude(turn: Turn, received: Abort, now: datetime) -> None:
        if turn.status is not SagaStatus.RUNNING:
            abort(turn, received, now)
        else:
            course.compensate(turn, Refusal(None, "aborted", received.reason), now)

    monkeypatch.setattr(machine, "abort", rude)


def a_late_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "awaited", lambda _step, _received: True)


def undos_do_not_wait_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def backward(turn: Turn, now: datetime) -> None:
        steps = [s for s in turn.steps.values() if s.status in course.UNDOABLE]
        for step in steps:
            turn.happens(ask_undo(step, now))
        if not steps:
            course.closing(turn, now)

    monkeypatch.setattr(course, "backward", backward)


def a_refused_undo_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "call_for_attention", lambda _turn, _refusal, _now: None)


Flaw = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize(
    "flaw, shown",
    [
        (a_sibling_that_waits_is_left_alone, "no effect stands or comes"),
        (a_silent_pivot_counts_as_refused, "never decided"),
        (an_abort_is_in_time_until_the_pivot_is_answered, "UndoIssued.*confirm_order"),
        (a_late_answer_counts, "Step"),
        (undos_do_not_wait_for_one_another, "nothing of the one after can stand"),
        (a_refused_undo_is_passed_over, "it hangs"),
    ],
)
def test_the_walk_finds(flaw: Flaw, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flaw(monkeypatch)
    with pytest.raises(Broken, match=shown) as broken:
        walk(quickly_in_doubt(TRIP), AN_ORDER, MESSAGES, TWO_REFUSALS)
    assert "after: " in str(broken.value)


def test_the_walk_is_bounded() -> None:
    with pytest.raises(AssertionError, match="more states than bounded"):
        walk(PLACE_ORDER, AN_ORDER, MESSAGES, Bounds(states=10))
