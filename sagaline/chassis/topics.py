"""A service's own topics, made as the catalog says, and only so: automatic creation is off."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from sagaline.chassis.catalog import Catalog, Topic
from sagaline.chassis.errors import PlatformError

LOOK_S = 0.05  # between looks at whether a topic stands


class PartitionsDiffer(PlatformError):
    """{differences}.

    Partitions are never changed here: with another count keys move, and their order is lost. Set
    SAGALINE_TOPIC_PARTITIONS, or the catalog, to what stands; or delete topics that may be empty.
    """


class TopicRefused(PlatformError):
    """Kafka did not create topic {topic}: {reason}."""


@dataclass(frozen=True, slots=True)
class Made:
    """What `create` did: topics that are new, and those that stood already."""

    created: tuple[str, ...]
    stood: tuple[str, ...]


async def create(
    catalog: Catalog,
    *,
    service: str,
    bootstrap: str,
    partitions: int | None,
    replicas: int,
    timeout_ms: int,
) -> Made:
    """Every topic that `service` owns exists; `partitions` overrides the catalog's counts.

    Raises PartitionsDiffer when one stands with another count, TopicRefused, or KafkaError.
    """
    wanted = [
        _new(topic, partitions=partitions or topic.partitions, replicas=replicas)
        for topic in catalog.topics.values()
        if topic.owner == service
    ]
    return await make(wanted, bootstrap=bootstrap, service=service, timeout_ms=timeout_ms)


async def make(
    wanted: Sequence[NewTopic], *, bootstrap: str, service: str, timeout_ms: int
) -> Made:
    """These topics exist; it is `service` that asks for them. Raises as `create` does."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=timeout_ms, client_id=f"{service}-topics"
    )
    try:
        await admin.start()
        standing = await _counts(admin, [topic.name for topic in wanted])
        missing = [topic for topic in wanted if topic.name not in standing]
        created = await _create(admin, missing, timeout_ms)
        # A broker may not know yet what its controller has created, or refused as known to it.
        async with asyncio.timeout(timeout_ms / 1000):
            while len(standing) < len(wanted):
                await asyncio.sleep(LOOK_S)
                standing = await _counts(admin, [topic.name for topic in wanted])
    finally:
        await admin.close()
    _compare(wanted, standing)
    return Made(tuple(sorted(created)), tuple(sorted(standing.keys() - created)))


def _new(topic: Topic, *, partitions: int, replicas: int) -> NewTopic:
    configs = {
        "retention.ms": str(topic.retention_ms),
        "cleanup.policy": topic.cleanup_policy,
        "message.timestamp.type": "CreateTime",
    }
    return NewTopic(topic.name, partitions, replicas, topic_configs=configs)


async def _counts(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Partitions of those of `names` that stand."""
    if not names:
        return {}
    described = await admin.describe_topics(list(names))
    return {each["topic"]: len(each["partitions"]) for each in described if not each["error_code"]}


async def _create(
    admin: AIOKafkaAdminClient, missing: Sequence[NewTopic], timeout_ms: int
) -> set[str]:
    """Create them; the names of those that nobody else made in the meantime."""
    if not missing:
        return set()
    answer = await admin.create_topics(list(missing), timeout_ms=timeout_ms)
    created = set()
    for topic, code, *detail in answer.topic_errors:
        error = for_code(code)
        if not code:
            created.add(topic)
        elif error is not TopicAlreadyExistsError:
            reason = detail[0] if detail and detail[0] else error.__name__
            raise TopicRefused(topic=topic, reason=reason)
    return created


def _compare(wanted: Sequence[NewTopic], standing: Mapping[str, int]) -> None:
    differences = [
        f"topic {topic.name} has {standing[topic.name]} partitions, not {topic.num_partitions}"
        for topic in wanted
        if standing[topic.name] != topic.num_partitions
    ]
    if differences:
        raise PartitionsDiffer(differences="; ".join(differences))
