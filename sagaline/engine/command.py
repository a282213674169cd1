"""The message that a "command issued" event stands for, made by the step's builder."""

from sagaline.engine.events import ActionIssued, UndoIssued
from sagaline.engine.recipe import Recipe, Refusal
from sagaline.engine.state import SagaState


def command(saga: SagaState, event: ActionIssued | UndoIssued) -> object:
    """The command to send, the same at each attempt; `saga` has folded `event`.

    What a builder needs is there by then: the definition's checks have proved it.
    """
    step = saga.definition.by_name[event.step]
    made = step.undo if isinstance(event, UndoIssued) else step.action
    assert made is not None, event
    return _made(saga, made)


def _made(saga: SagaState, made: Recipe) -> object:
    message = made.builder(*[_needed(saga, need) for need in made.needs])
    assert isinstance(message, made.makes), (made, message)
    return message


def _needed(saga: SagaState, need: type) -> object:
    if need is Refusal:
        assert saga.refusal is not None, saga
        return saga.refusal
    if need is saga.definition.input:
        return saga.message
    return next(step.reply for step in saga.steps.values() if type(step.reply) is need)
