"""Kafka, and the topics on it beside those of the catalog."""

from collections.abc import AsyncIterator, Iterator, Mapping

from sagaline.chassis.catalog import Catalog, Topic
from sagaline.chassis.log_reader import KafkaAway
from sagaline.local.doctor.finding import STATUS, Finding, unless, wrong
from sagaline.local.figures import Figures
from sagaline.local.topics import broker
from sagaline.local.topics.broker import Broker


async def examine(
    address: str, catalog: Catalog, known: Mapping[str, Figures], *, timeout_ms: int
) -> list[Finding]:
    """Look at the Kafka at `address`; `known` are the figures of services that answer."""
    try:
        async with broker.connected(address, timeout_ms=timeout_ms) as kafka:
            faults = [fault async for fault in _topics(kafka, catalog, known)]
    except KafkaAway as error:
        return [wrong("Kafka", str(error), STATUS)]
    text = f"{len(catalog.topics)} as the catalog says"
    return [*unless((), "Kafka", f"answers at {address}"), *unless(faults, "topics", text)]


async def _topics(
    kafka: Broker, catalog: Catalog, known: Mapping[str, Figures]
) -> AsyncIterator[Finding]:
    standing, override = await kafka.topics(), _override(known)
    for topic in catalog.topics.values():
        if topic.name not in standing:
            remedy = f"restart {topic.owner}'s platform: 'up' makes topics"
            yield wrong("topics", f"{topic.name} is missing", remedy)
            continue
        count, wanted = len(standing[topic.name]), override or topic.partitions
        if known and count != wanted:  # without any service, nobody tells the setting
            text = f"{topic.name} has {count} partitions, not {wanted}"
            yield wrong("topics", text, f"set SAGALINE_TOPIC_PARTITIONS={count}, or begin anew")
        for fault in _settings(topic, await kafka.settings(topic.name)):
            yield wrong("topics", fault, "change the topic by Kafka's tools, or the catalog")


def _override(known: Mapping[str, Figures]) -> int:
    """Give the partitions of every topic, where a setting says so; it is one for all services."""
    found = (each.total("sagaline_setting", name="topic_partitions") for each in known.values())
    return int(max(found, default=0))


def _settings(topic: Topic, found: Mapping[str, str]) -> Iterator[str]:
    wanted = {
        "cleanup.policy": topic.cleanup_policy,
        "retention.ms": str(topic.retention_ms),
    }
    for name, value in wanted.items():
        if found.get(name) != value:
            yield f"{topic.name} has {name} {found.get(name)}, the catalog says {value}"
