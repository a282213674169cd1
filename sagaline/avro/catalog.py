"""All messages and topics of a platform, by name. Reads schema files when asked for them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Self

from sagaline.avro.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A Kafka topic as `topics.yaml` has it; messages by full name, none on a dead-letter topic."""

    name: str
    owner: str  # the only writer
    readers: tuple[str, ...]  # the consumer groups' names
    key: str
    messages: tuple[str, ...]
    partitions: int
    retention_ms: int
    cleanup_policy: str
    pii: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Messages by full name, topics by name, and all schemas that a record may be written in."""

    topics: Mapping[str, Topic]
    messages: Mapping[str, type[Message]]
    writers: Mapping[str, str]  # schema file by hexadecimal fingerprint
    root: Traversable  # where those files lie

    @classmethod
    def of(
        cls,
        topics: Iterable[Topic],
        messages: Iterable[type[Message]],
        writers: Mapping[str, str],
        *,
        root: Traversable,
    ) -> Self:
        """A catalog of what was generated: TOPICS, MESSAGES, WRITERS; `root` is their package."""
        return cls(
            topics={topic.name: topic for topic in topics},
            messages={message.avro_name: message for message in messages},
            writers=writers,
            root=root,
        )

    def topic_of(self, avro_name: str) -> Topic:
        """The one topic that carries this message; KeyError when there is none."""
        if avro_name in self.messages:  # the platform's own may stand on several topics
            for topic in self.topics.values():
                if avro_name in topic.messages:
                    return topic
        raise KeyError(avro_name)

    def writer_schema(self, fingerprint: bytes) -> Mapping[str, object]:
        """The Avro schema, current or released, of these 8 bytes; KeyError when unknown."""
        return self._read(self.writers[fingerprint.hex()])

    def reader_schema(self, avro_name: str) -> Mapping[str, object]:
        """The current Avro schema of a message; KeyError when unknown."""
        return self.writer_schema(self.messages[avro_name].fingerprint)

    def _read(self, file: str) -> Mapping[str, object]:
        schema = json.loads(self.root.joinpath(file).read_text(encoding="utf-8"))
        assert isinstance(schema, dict), file
        return schema
