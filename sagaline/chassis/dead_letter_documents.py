"""Documents about dead letters, as the operators' routes take and give them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sagaline.chassis import examples, paging
from sagaline.chassis.codec import Codec
from sagaline.chassis.dead_letters import Dealt
from sagaline.chassis.operating import Asking, Giving, Text
from sagaline.chassis.parked_rows import Filter, ParkedRecord
from sagaline.chassis.shown import Payload, header_texts, payload


class DeadLetter(BaseModel):
    """A parked record in a line. `redrives` counts how often it has failed again."""

    id: int
    topic: str
    partition: int
    offset: int
    key: str
    type: str | None
    error_class: str
    error: str
    parked_at: datetime
    redrives: int
    redriven_at: datetime | None

    @classmethod
    def of(cls, record: ParkedRecord) -> Self:
        """The line of this record."""
        return cls.model_validate(_facts(record))


class DeadLetterPage(BaseModel):
    """Some parked records, in the order of parking; `next` is the cursor of those that follow."""

    dead_letters: list[DeadLetter]
    next: str | None


class DeadLetterShown(DeadLetter):
    """All that is known of a parked record. `behind` are the first of those that wait for it."""

    headers: dict[str, str]
    payload: Payload
    behind_count: int
    behind: list[DeadLetter]

    @classmethod
    def with_those_behind(
        cls, record: ParkedRecord, behind: list[ParkedRecord], count: int, codec: Codec
    ) -> Self:
        """All of this record, read by `codec`, and the first of the `count` behind it."""
        more = {
            "headers": header_texts(record.raw.headers),
            "payload": payload(codec, record.raw.value),
            "behind_count": count,
            "behind": [DeadLetter.of(each) for each in behind],
        }
        return cls.model_validate(_facts(record) | more)


class Chosen(BaseModel):
    """Which records: those of `id`'s key, or those of all keys that have one that fits the rest."""

    id: int | None = Field(default=None, ge=1, le=paging.ID_MAX)
    topic: Text | None = None
    key: Text | None = None
    error_class: Text | None = None
    cursor: str | None = Field(
        default=None,
        max_length=paging.CURSOR_CHARACTERS_MAX,
        description="`next` of the answer before.",
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        fits = (self.topic, self.key, self.error_class)
        if (self.id is None) == (fits == (None,) * 3):
            raise ValueError("name an id alone, or a topic, a key or an error_class")
        return self

    @property
    def wanted(self) -> Filter:
        """The filter, without the id."""
        return Filter(topic=self.topic, key=self.key, error_class=self.error_class)


class Redrive(Chosen, Asking):
    """Handle these again, in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.A_REDRIVE]})


class Discard(Chosen, Giving):
    """Give these up: the one of that id alone, or all that fit."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.A_DISCARD]})


class KeyDealt(BaseModel):
    """How a key fared: `done` of its records are parked no more, `left` are.

    `error` is what `stopped_at`, a record's id, failed with this time.
    """

    topic: str
    partition: int
    key: str
    done: int
    left: int
    stopped_at: int | None
    error_class: str | None
    error: str | None

    @classmethod
    def of(cls, dealt: Dealt) -> Self:
        """How it fared."""
        return cls(
            **dealt.queue._asdict(),
            done=dealt.done,
            left=dealt.left,
            stopped_at=dealt.stopped_at,
            error_class=dealt.error_class,
            error=dealt.error,
        )


class AllDealt(BaseModel):
    """What was done, by key. If there is a `next`, more keys fit: ask again with it as `cursor`."""

    keys: list[KeyDealt]
    next: str | None


def _facts(record: ParkedRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "topic": record.raw.topic,
        "partition": record.raw.partition,
        "offset": record.raw.offset,
        "key": record.key,
        "type": record.type,
        "error_class": record.error_class,
        "error": record.error,
        "parked_at": record.parked_at,
        "redrives": record.redrives,
        "redriven_at": record.redriven_at,
    }
