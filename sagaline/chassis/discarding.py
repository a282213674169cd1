"""Discarding: a parked record is given up, and whoever waits for its answer is told.

See docs/architecture.md, "Dead letters". For a command that is an answer like any other, behind the
barrier: what was never executed never will be, and its saga hears `discarded`; what was executed
before, or can't happen any more, is answered as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sagaline.chassis import intents
from sagaline.chassis.batch import Raw, key_of
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.database import Transaction
from sagaline.chassis.envelope import Envelope, Outgoing, Record, reply_id
from sagaline.chassis.errors import MalformedEnvelope, PlatformError
from sagaline.chassis.messages import Notice

REASON_CHARACTERS_MAX = 1_000


class MayHaveHappened(PlatformError):
    """A call to the outside may have been made for {step}: only a redrive finds out."""

    status = 409


class Discarded(Notice):
    """A notice whose outcome is settled: the command was given up."""

    outcome: ClassVar[str | None] = "discarded"


@dataclass(frozen=True, slots=True)
class Discarding:
    """Answers discarded commands; `replies_topics` by topic of commands."""

    codec: Codec
    replies_topics: Mapping[str, str]
    service: str

    async def discard(self, tx: Transaction, raw: Raw, reason: str) -> None:
        """The record counts as refused, if it is a command that says of which saga.

        Any other concerns nobody but this service: nothing follows. Raises MayHaveHappened.
        """
        replies_topic = self.replies_topics.get(raw.topic)
        if replies_topic is None:
            return
        notice = Discarded(code="discarded", detail=reason[:REASON_CHARACTERS_MAX])

        async def refuse(_: Transaction, batch: Sequence[Notice]) -> Sequence[Notice]:
            return batch

        commands = Commands(
            {Discarded: refuse},
            codec=self.codec,
            replies_topic=replies_topic,
            service=self.service,
        )
        try:
            envelope = Envelope.parse(raw.headers)
            record = Record(
                raw.topic, raw.partition, raw.offset, key_of(raw), envelope, notice, b""
            )
            command = commands.command(record)
        except MalformedEnvelope:
            return  # it said nobody whom to tell when it was parked, either
        if await intents.find(tx, command.rows):
            raise MayHaveHappened(step=command.step)
        if command.direction == "revoke":
            # It changes nothing to ask again, so nothing is refused for good.
            tx.publish(_discarded_revoke(envelope, notice, replies_topic))
        else:
            await commands.handle(tx, [record])


def _discarded_revoke(envelope: Envelope, notice: Discarded, topic: str) -> Outgoing:
    return Outgoing(
        notice,
        topic=topic,
        key=envelope.subject,
        id=reply_id(envelope.id, "discarded"),
        traceparent=envelope.traceparent,
        saga_id=envelope.saga_id,
        step=envelope.step,
        direction="revoke",
        generation=envelope.generation,
        outcome="discarded",
        causation_id=envelope.id,
    )
