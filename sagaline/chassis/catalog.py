"""What the chassis has to know of a platform's messages and topics, as Protocols.

The package of schemas satisfies them without importing this; so can anybody's. Platform messages
(`sagaline.*`) belong to the chassis and stand in no catalog, only in its topics' lists.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol, Self


class Message(Protocol):
    """An immutable payload and what its Avro schema says about it; a pydantic model is one."""

    avro_name: ClassVar[str]  # full name, such as inventory.replies.StockReserved
    fingerprint: ClassVar[bytes]  # 8 bytes, as they stand in the single-object encoding
    outcome: ClassVar[str | None]  # of a business reply: succeeded, refused, undone ...
    replies: ClassVar[tuple[str, ...]]  # of a command: full names of what may answer it

    def model_dump(self) -> dict[str, object]:
        """The fields by name; nested records as dicts, too."""
        ...

    def model_dump_json(self) -> str:
        """The fields as JSON text."""
        ...

    @classmethod
    def model_validate(
        cls, obj: object, *, extra: Literal["allow", "ignore", "forbid"] | None = None
    ) -> Self:
        """The message with these fields; raises ValueError when they don't fit."""
        ...


class Topic(Protocol):
    """One topic: who writes it, who reads it, what stands on it and for how long."""

    @property
    def name(self) -> str:
        """As Kafka knows it, with its version: inventory.replies.v1."""
        ...

    @property
    def owner(self) -> str:
        """The service that alone writes here."""
        ...

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of the consumer groups, or a word for people outside (`anyone`, `operators`)."""
        ...

    @property
    def key(self) -> str:
        """The field of each message that is the record's key."""
        ...

    @property
    def messages(self) -> tuple[str, ...]:
        """Full names; none where raw copies of other topics' records stand."""
        ...

    @property
    def partitions(self) -> int:
        """The same number on every topic, except where a platform runs embedded."""
        ...

    @property
    def retention_ms(self) -> int:
        """How long records stay."""
        ...

    @property
    def cleanup_policy(self) -> str:
        """Kafka's `cleanup.policy`."""
        ...

    @property
    def pii(self) -> str:
        """Class of personal data: none, or pseudonymous."""
        ...


class Catalog(Protocol):
    """All messages and topics of a platform."""

    @property
    def topics(self) -> Mapping[str, Topic]:
        """Topics by name."""
        ...

    @property
    def messages(self) -> Mapping[str, type[Message]]:
        """Message types by full name, without the platform's own."""
        ...

    def topic_of(self, avro_name: str) -> Topic:
        """The one topic that carries this message; KeyError when there is none."""
        ...

    def writer_schema(self, fingerprint: bytes) -> Mapping[str, object]:
        """The Avro schema, current or released, of these 8 bytes; KeyError when unknown."""
        ...

    def reader_schema(self, avro_name: str) -> Mapping[str, object]:
        """The current Avro schema of a message; KeyError when unknown."""
        ...
