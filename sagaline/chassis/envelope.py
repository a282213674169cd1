"""A record's envelope: a CloudEvents 1.0 event, Kafka binding, binary content mode.

See docs/architecture.md, "Messages". The envelope travels as headers; the value is the Avro body.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from sagaline.chassis.catalog import Message
from sagaline.chassis.errors import MalformedEnvelope
from sagaline.chassis.instant import text_of
from sagaline.chassis.quick_uuid import QuickUUID, uuid5

Direction: TypeAlias = Literal["action", "undo", "revoke"]
Headers: TypeAlias = Mapping[str, str]

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/avro"
KEY_CHARACTERS_MAX: Final = 500  # 2,000 bytes at most: an index takes them beside a topic's name
# What indexes hold: keys of the outbox and of sagas, steps and directions of the barrier.
CHARACTERS_MAX: Final[Mapping[str, int]] = MappingProxyType(
    {"ce_subject": KEY_CHARACTERS_MAX, "ce_sagastep": 200, "ce_sagadirection": 200}
)
NAMES: Final = frozenset(  # of the headers that are read
    {
        *("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"),
        *("traceparent", "ce_sagaid", "ce_sagastep", "ce_sagadirection", "ce_sagageneration"),
        *("ce_sagaaction", "ce_sagaoutcome", "ce_causationid"),
    }
)
ORIGIN = "sagaline-origin"  # header of a dead letter: it is a copy of the record that stands there


def saga_id(definition: str, key: str) -> UUID:
    """The one id that a saga of `definition` for this key can have."""
    return uuid5(UUID(key), definition)


def command_id(saga: UUID, step: str, direction: str, generation: int) -> UUID:
    """The id of a command, the same on each resend."""
    return uuid5(saga, f"{step}/{direction}/{generation}")


def reply_id(command: UUID, outcome: str) -> UUID:
    """The id of a command's reply, the same when it is emitted again."""
    return uuid5(command, outcome)


def call_key(saga: UUID, step: str, direction: str) -> UUID:
    """The idempotency key of a step's call to the outside, the same in each generation."""
    return uuid5(saga, f"{step}/{direction}")


class Envelope(NamedTuple):
    """Who says what about which key, and which saga step it belongs to.

    `time` is when the outbox row was written; `action` (done, indoubt) stands on undos, `outcome`
    on replies, `causation_id` is the id of the message that caused this one.
    """

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    traceparent: str | None = None
    saga_id: UUID | None = None
    step: str | None = None
    direction: str | None = None
    generation: int | None = None
    action: str | None = None
    outcome: str | None = None
    causation_id: UUID | None = None

    def headers(self) -> dict[str, str]:
        """The envelope as header names and texts; absent parts have no header."""
        found = {
            "ce_specversion": SPEC_VERSION,
            "ce_id": str(self.id),
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_subject": self.subject,
            "ce_time": text_of(self.time),
            "content-type": CONTENT_TYPE,
        }
        if self.traceparent is not None:
            found["traceparent"] = self.traceparent
        if self.saga_id is not None:
            found["ce_sagaid"] = str(self.saga_id)
        if self.step is not None:
            found["ce_sagastep"] = self.step
        if self.direction is not None:
            found["ce_sagadirection"] = self.direction
        if self.generation is not None:
            found["ce_sagageneration"] = str(self.generation)
        if self.action is not None:
            found["ce_sagaaction"] = self.action
        if self.outcome is not None:
            found["ce_sagaoutcome"] = self.outcome
        if self.causation_id is not None:
            found["ce_causationid"] = str(self.causation_id)
        return found

    @classmethod
    def parse(cls, headers: Iterable[tuple[str, bytes | None]]) -> "Envelope":
        """The envelope in a record's headers; unknown headers are passed over.

        Raises MalformedEnvelope when a required one is missing, unreadable or too long.
        """
        try:
            found = {
                name: value.decode()
                for name, value in headers
                if value is not None and name in NAMES
            }
            if reason := _unkeepable(found):
                raise MalformedEnvelope(reason=reason)
            if found["ce_specversion"] != SPEC_VERSION:
                raise MalformedEnvelope(reason=f"ce_specversion {found['ce_specversion']!r}")
            return cls._of(found)
        except KeyError as missing:
            raise MalformedEnvelope(reason=f"no header {missing}") from missing
        except ValueError as error:  # UnicodeDecodeError is one
            raise MalformedEnvelope(reason=str(error)) from error

    @classmethod
    def _of(cls, found: Headers) -> "Envelope":
        time = datetime.fromisoformat(found["ce_time"])
        if time.tzinfo is None:
            raise MalformedEnvelope(reason="ce_time has no time zone")
        generation = found.get("ce_sagageneration")
        return cls(  # by position: with names it takes half as long again
            QuickUUID(found["ce_id"]),
            found["ce_type"],
            found["ce_source"],
            found["ce_subject"],
            time,
            found.get("traceparent"),
            _uuid(found.get("ce_sagaid")),
            found.get("ce_sagastep"),
            found.get("ce_sagadirection"),
            None if generation is None else int(generation),
            found.get("ce_sagaaction"),
            found.get("ce_sagaoutcome"),
            _uuid(found.get("ce_causationid")),
        )


def _unkeepable(found: Headers) -> str | None:
    """Why PostgreSQL can't keep these texts, or not in an index; None where it can."""
    if "\0" in "".join(found.values()):
        nul = [name for name, text in found.items() if "\0" in text]
        return f"NUL in {', '.join(nul)}"
    for name, most in CHARACTERS_MAX.items():
        if len(found.get(name, "")) > most:
            return f"{name} has more than {most} characters"
    return None


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else QuickUUID(text)


class Record(NamedTuple):
    """A decoded record of a topic, with its coordinates."""

    topic: str
    partition: int
    offset: int
    key: str
    envelope: Envelope
    message: Message
    value: bytes  # as it stood in the log, for histories


class Outgoing(NamedTuple):
    """A message to publish with the transaction that it is given to.

    `topic` and `key` come from the catalog when left out; only a platform message, whose type may
    stand on several topics, must name them. `id` is a new one when left out. `encoded` is what the
    codec makes of the message, where that is known already.
    """

    message: Message
    topic: str | None = None
    key: str | None = None
    id: UUID | None = None
    traceparent: str | None = None
    saga_id: UUID | None = None
    step: str | None = None
    direction: str | None = None
    generation: int | None = None
    action: str | None = None
    outcome: str | None = None
    causation_id: UUID | None = None
    encoded: bytes | None = None


class Encoded(NamedTuple):
    """A record ready to be written: topic, key, headers and bytes as they will stand in the log."""

    topic: str
    key: str
    type: str
    id: UUID
    headers: Headers
    value: bytes | None
