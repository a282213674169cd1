"""From records to sagas: which saga a message is about, and what it tells it."""

from uuid import UUID

from sagaline.chassis.envelope import Record, saga_id
from sagaline.chassis.errors import MalformedEnvelope, PlatformError
from sagaline.engine.definitions import Definitions
from sagaline.engine.inputs import AnyAnswer, answer
from sagaline.engine.state import Direction


class UnknownSaga(PlatformError):
    """A reply names saga {saga_id} of key {key}, which is not in this database."""


class UnexpectedRecord(PlatformError):
    """{type} on {topic} neither starts a saga nor answers one: who publishes it there, and why?"""


def answered_saga(record: Record, definitions: Definitions) -> UUID:
    """The saga that the record starts or answers; raises UnexpectedRecord."""
    if record.envelope.saga_id is not None:
        return record.envelope.saga_id
    definition = definitions.started_by(record.message)
    if definition is None:
        raise UnexpectedRecord(type=record.envelope.type, topic=record.topic)
    return saga_id(definition.name, record.key)


def answer_in(record: Record) -> AnyAnswer:
    """The reply that the record is; raises MalformedEnvelope where a part is missing or untrue.

    A success without the reply that later steps are made of would only be found out by these.
    """
    envelope = record.envelope
    parts = (envelope.step, envelope.direction, envelope.generation, envelope.outcome)
    step, direction, generation, outcome = parts
    if step is None or direction is None or generation is None or outcome is None:
        raise MalformedEnvelope(reason=f"{envelope.type} lacks one of step, .., outcome: {parts}")
    declared = getattr(record.message, "outcome", None)  # a notice is of any
    if declared not in (None, outcome):
        raise MalformedEnvelope(reason=f"{envelope.type} means {declared}, its header {outcome}")
    try:
        return answer(
            outcome,
            step=step,
            direction=Direction(direction),
            generation=generation,
            reply=record.message,
        )
    except ValueError as error:
        raise MalformedEnvelope(reason=str(error)) from error
