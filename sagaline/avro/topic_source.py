"""`topics.yaml` as Topics. For development only: the catalog carries a generated copy."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, TypeAdapter

from sagaline.avro.catalog import Topic


class KafkaEntry(BaseModel):
    """What the broker is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partitions: PositiveInt
    retention_ms: PositiveInt
    cleanup_policy: str


class TopicEntry(BaseModel):
    """A topic as the file has it: messages of its own family without the namespace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    readers: tuple[str, ...]
    key: str
    messages: tuple[str, ...]
    pii: str
    kafka: KafkaEntry


def family(topic: str) -> str:
    """The namespace of a topic's messages: its name without the version."""
    return topic.rpartition(".")[0]


def read_topics(file: Path) -> tuple[Topic, ...]:
    """The topics in the file's order; raises ValidationError where an entry has another shape."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    entries = TypeAdapter(dict[str, TopicEntry]).validate_python(content)
    return tuple(_topic(name, entry) for name, entry in entries.items())


def _topic(name: str, entry: TopicEntry) -> Topic:
    full_names = (m if "." in m else f"{family(name)}.{m}" for m in entry.messages)
    return Topic(
        name=name,
        owner=entry.owner,
        readers=entry.readers,
        key=entry.key,
        messages=tuple(full_names),
        partitions=entry.kafka.partitions,
        retention_ms=entry.kafka.retention_ms,
        cleanup_policy=entry.kafka.cleanup_policy,
        pii=entry.pii,
    )
