"""What everyone is told of a saga at once, and what can wait for its next snapshot."""

from collections.abc import Sequence

from sagaline.engine.events import Event, Ignored, StepSucceeded, StepUndone, StepUndoNoop
from sagaline.engine.state import SagaState, StepState, StepStatus


def is_told(before: SagaState, events: Sequence[Event]) -> bool:
    """Whether what one input caused in this saga is worth a snapshot of its own.

    Steps that are done as expected, while others are still awaited, give nobody anything to act
    upon. All else is told, the saga's end above all.
    """
    return any(not _can_wait(before, event) for event in events)


def _can_wait(before: SagaState, event: Event) -> bool:
    match event:
        case Ignored():
            return True
        case StepSucceeded() | StepUndone() | StepUndoNoop():
            return _is_in_time(before.steps[event.step])
        case _:
            return False


def _is_in_time(step: StepState) -> bool:
    """Nothing alarming was shown of the step: whoever was alarmed hears at once that it is over."""
    awaited = step.status in (StepStatus.WAITING, StepStatus.UNDOING)
    return awaited and step.attempt == 1 and not step.parked and not step.stalled
