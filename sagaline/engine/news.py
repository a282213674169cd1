"""News of a saga: what others are told of at once, and what can wait for what follows it.

See docs/adr/0024-a-step-done-before-its-siblings-is-no-news.md.
"""

from collections.abc import Iterable
from typing import Final

from sagaline.engine.events import Event, Ignored, StepSucceeded, StepUndone, StepUndoNoop
from sagaline.engine.state import SagaState, StepState, StepStatus

DONE: Final = (StepSucceeded, StepUndone, StepUndoNoop)
AS_USUAL: Final = frozenset({StepStatus.WAITING, StepStatus.UNDOING})


def is_news(before: SagaState, events: Iterable[Event], after: SagaState) -> bool:
    """Whether others are told of these events, which led from one state to the other.

    By itself it is no news that a step is done as usual while a sibling is at work, whose answer or
    time-out will be some, or will be followed by some.
    """
    changes = [event for event in events if not isinstance(event, Ignored)]
    if after.due_at is None:
        return bool(changes)
    return not all(_done_as_usual(before, event) for event in changes)


def _done_as_usual(before: SagaState, event: Event) -> bool:
    return isinstance(event, DONE) and _as_usual(before.steps[event.step])


def _as_usual(step: StepState) -> bool:
    """Nobody was told that it is late, was asked again, or waits for a person."""
    expected = step.status in AS_USUAL and step.attempt == 1
    return expected and not (step.parked or step.stalled)
