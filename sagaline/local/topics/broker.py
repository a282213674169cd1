"""Topics and consumer groups as Kafka has them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from sagaline.chassis.client_end import close_consumer
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.log_reader import KafkaAway
from sagaline.chassis.log_records import Span

CLIENT = "sagactl"
CLOSE_MS = 2_000
TIMEOUT_MS = 10_000
LOOK_S = 0.05


class TopicNotMade(PlatformError):
    """Kafka did not create {topic}: {reason}."""


@dataclass(frozen=True, slots=True)
class GroupOffset:
    """How far a group has come in one partition; `committed` is None where it never was."""

    partition: int
    committed: int | None
    lag: int


class Broker:
    """Answers questions about the Kafka at `bootstrap`; `connected` makes one."""

    def __init__(self, admin: AIOKafkaAdminClient, kafka: "AIOKafkaConsumer[bytes, bytes]") -> None:
        self._admin = admin
        self._kafka = kafka

    async def topics(self) -> dict[str, list[int]]:
        """Give the partitions of each topic, but for Kafka's own topics."""
        described = await self._admin.describe_topics()
        return {
            str(each["topic"]): sorted(partition["partition"] for partition in each["partitions"])
            for each in described
            if not each["is_internal"]
        }

    async def extents(self, topics: Mapping[str, Sequence[int]]) -> dict[str, dict[int, Span]]:
        """Give what each partition of these topics holds."""
        places = [TopicPartition(name, n) for name, numbers in topics.items() for n in numbers]
        begins = await self._kafka.beginning_offsets(places)
        ends = await self._kafka.end_offsets(places)
        found: dict[str, dict[int, Span]] = {name: {} for name in topics}
        for place in places:
            found[place.topic][place.partition] = Span(begins[place], ends[place])
        return found

    async def offsets(
        self, group: str, extents: Mapping[str, Mapping[int, Span]]
    ) -> dict[str, list[GroupOffset]]:
        """Give how far a group has come in these topics; a topic that it never read is absent."""
        places = [TopicPartition(name, n) for name, spans in extents.items() for n in spans]
        answer = await self._admin.list_consumer_group_offsets(group, partitions=places)
        committed = {place: each.offset for place, each in answer.items() if each.offset >= 0}
        return {
            name: [
                _progress(n, committed.get(TopicPartition(name, n)), spans[n])
                for n in sorted(spans)
            ]
            for name, spans in extents.items()
            if any(TopicPartition(name, n) in committed for n in spans)
        }

    async def settings(self, topic: str) -> dict[str, str]:
        """Give the topic's settings, defaults among them."""
        answers = await self._admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)]
        )
        return {
            str(entry[0]): str(entry[1])
            for answer in answers
            for resource in answer.resources
            for entry in resource[4]
        }

    async def make(self, topic: str, *, partitions: int, settings: Mapping[str, str]) -> None:
        """`topic` exists, and was not there before. Raises TopicNotMade."""
        answer = await self._admin.create_topics(
            [NewTopic(topic, partitions, 1, topic_configs=dict(settings))]
        )
        for _, code, *detail in answer.topic_errors:
            if code:
                reason = detail[0] if detail and detail[0] else for_code(code).__name__
                raise TopicNotMade(topic=topic, reason=reason)
        # A broker may not know yet what its controller has created.
        try:
            async with asyncio.timeout(TIMEOUT_MS / 1000):
                standing = await self.topics()
                while len(standing.get(topic, ())) < partitions:
                    await asyncio.sleep(LOOK_S)
                    standing = await self.topics()
        except TimeoutError as error:
            reason = f"it does not stand after {TIMEOUT_MS} ms"
            raise TopicNotMade(topic=topic, reason=reason) from error


@asynccontextmanager
async def connected(bootstrap: str, *, timeout_ms: int = TIMEOUT_MS) -> AsyncIterator[Broker]:
    """Connections for the block; an answer takes `timeout_ms` at most.

    Raises KafkaAway, for what fails in the block, too.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, client_id=CLIENT, request_timeout_ms=timeout_ms
    )
    kafka: AIOKafkaConsumer[bytes, bytes] = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=CLIENT,
        group_id=None,
        enable_auto_commit=False,
        request_timeout_ms=timeout_ms,
    )
    try:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await admin.start()
                await kafka.start()
            # With nothing subscribed it learns all topics at once. Otherwise it would learn one at
            # each try to ask for their offsets, and rest for 0.1 s between two tries.
            kafka.unsubscribe()
        except OSError as error:  # TimeoutError is one; later on, the client has made them its own
            raise KafkaAway(bootstrap=bootstrap, reason=_said(error)) from error
        yield Broker(admin, kafka)
    except KafkaError as error:
        raise KafkaAway(bootstrap=bootstrap, reason=_said(error)) from error
    finally:
        await close_consumer(kafka, within_ms=CLOSE_MS)
        await admin.close()


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _progress(partition: int, committed: int | None, span: Span) -> GroupOffset:
    start = span.first if committed is None else max(committed, span.first)
    return GroupOffset(partition, committed, max(0, span.until - start))
