"""Records as they lie in a topic's log, and spans of their offsets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, TypeAlias

from aiokafka import ConsumerRecord

Stored: TypeAlias = "ConsumerRecord[bytes, bytes]"


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of one partition: from `first` up to, and not including, `until`."""

    first: int
    until: int

    def __len__(self) -> int:
        return max(0, self.until - self.first)


Spans: TypeAlias = Mapping[int, Span]  # by partition


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record as it lies in the log; `time` is Kafka's own, when it was sent or appended.

    With `unread`, the Kafka client could not read it, and only its coordinates are known.
    """

    topic: str
    partition: int
    offset: int
    time: datetime | None = None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    value: bytes | None = None
    unread: str | None = None

    @classmethod
    def of(cls, record: Stored) -> Self:
        """Give what the client has read."""
        return cls(
            record.topic,
            record.partition,
            record.offset,
            datetime.fromtimestamp(record.timestamp / 1000, UTC),
            record.key,
            tuple(record.headers),
            record.value,
        )
