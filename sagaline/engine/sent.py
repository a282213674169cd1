"""What a saga sends: the commands that its events stand for, and its snapshot for everyone."""

from typing import cast

from sagaline.chassis.catalog import Catalog, Message
from sagaline.chassis.envelope import Outgoing, command_id
from sagaline.chassis.messages import Revoke
from sagaline.engine.command import command
from sagaline.engine.events import ActionIssued, AnyCommandIssued, RevokeIssued, UndoIssued
from sagaline.engine.held import Held
from sagaline.engine.recipe import full_name
from sagaline.engine.snapshot import snapshot_of
from sagaline.engine.state import SagaState


def commands(held: Held, catalog: Catalog) -> list[Outgoing]:
    """The commands that were issued in this transaction, in order."""
    return [
        _outgoing(held, event, catalog)
        for accepted in held.accepted
        for event in accepted.entry.events
        if isinstance(event, ActionIssued | UndoIssued | RevokeIssued)
    ]


def command_topic(state: SagaState, step: str, catalog: Catalog) -> str:
    """The topic of the step's participant; actions, undos and revokes keep one order there."""
    action = state.definition.by_name[step].action
    return catalog.topic_of(full_name(action.makes)).name


def _outgoing(held: Held, event: AnyCommandIssued, catalog: Catalog) -> Outgoing:
    state = held.state
    message: Message
    if isinstance(event, RevokeIssued):
        message = Revoke(key=state.key, saga_id=state.saga_id, step=event.step)
    else:
        message = cast(Message, command(state, event))
    return Outgoing(
        message,
        topic=command_topic(state, event.step, catalog),
        key=state.key,
        id=command_id(state.saga_id, event.step, event.direction, event.generation),
        traceparent=held.traceparent,
        saga_id=state.saga_id,
        step=event.step,
        direction=event.direction.value,
        generation=event.generation,
        action=event.certainty.value if isinstance(event, UndoIssued) else None,
    )


def snapshot(held: Held, *, topic: str, sequence: int) -> Outgoing:
    """The saga as it stands now, as the `sequence`-th of its key."""
    return Outgoing(
        snapshot_of(held.state, sequence=sequence),
        key=held.state.key,
        topic=topic,
        traceparent=held.traceparent,
        saga_id=held.state.saga_id,
    )
