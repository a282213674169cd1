"""Kafka seen from outside: records published again as they are, and what groups have consumed."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord, TopicPartition

from sagaline.chassis.client_end import close_consumer
from sagaline.chassis.errors import PlatformError

Consumer: TypeAlias = "AIOKafkaConsumer[bytes, bytes]"

POLL_S = 0.05
FETCH_MS = 500
CLOSE_MS = 5_000
READ_WITHIN_S = 20.0


class NotPublished(PlatformError):
    """{topic} has not had {count} messages of {keys} within {within_s} s. Seen: {seen}."""


class NotConsumed(PlatformError):
    """{group} has not consumed {topic} within {within_s} s: {left} records are left."""


class TopicLog:
    """The topics on `bootstrap`; connections live as long as one call."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def records(
        self,
        topic: str,
        *,
        keys: Collection[str],
        count: int = 0,
        within_s: float = READ_WITHIN_S,
    ) -> list[ConsumerRecord[bytes, bytes]]:
        """Give all records with one of the keys, each partition's in the order of the log.

        It waits until there are `count` of them, and gives fewer when the time is over.
        """
        wanted = {key.encode() for key in keys}
        async with self._consumer(topic) as (consumer, partitions):
            ends = await consumer.end_offsets(partitions)
            found: list[ConsumerRecord[bytes, bytes]] = []
            deadline_s = time.monotonic() + within_s
            while (behind := await _behind(consumer, ends)) or len(found) < count:
                if time.monotonic() > deadline_s:
                    assert not behind, f"{topic} can't be read to its end"
                    break
                batches = await consumer.getmany(*partitions, timeout_ms=FETCH_MS)
                found += [r for batch in batches.values() for r in batch if r.key in wanted]
        return found

    async def publish_again(self, topic: str, *, keys: Collection[str]) -> int:
        """Every record with one of the keys stands in the log twice; how many there were.

        They are appended in their order, headers and all, to the partition that they were in.
        """
        records = await self.records(topic, keys=keys)
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all")
        try:
            await producer.start()
            for record in records:
                await producer.send_and_wait(
                    topic,
                    key=record.key,
                    value=record.value,
                    partition=record.partition,
                    headers=list(record.headers),
                )
        finally:
            await producer.stop()
        return len(records)

    async def consumed(self, topic: str, *, groups: Sequence[str], within_s: float) -> None:
        """Every group has answered all that is in the log at the call. Raises NotConsumed.

        A group's committed offset means: what lies before it is answered, too.
        """
        async with self._consumer(topic) as (consumer, partitions):
            ends = await consumer.end_offsets(partitions)
        deadline_s = time.monotonic() + within_s
        async with self._admin() as admin:
            for group in groups:
                while left := await _left(admin, group, ends):
                    if time.monotonic() > deadline_s:
                        raise NotConsumed(group=group, topic=topic, within_s=within_s, left=left)
                    await asyncio.sleep(POLL_S)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def _consumer(self, topic: str) -> AsyncIterator[tuple[Consumer, list[TopicPartition]]]:
        """Give a consumer without a group, and all partitions of `topic`, assigned to it."""
        async with self._admin() as admin:
            (described,) = await admin.describe_topics([topic])
        numbers = [partition["partition"] for partition in described["partitions"]]
        assert numbers, f"there is no topic {topic}"
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            # A seek to the beginning may lose against the reset that an assignment begins with.
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            consumer.assign(partitions)
            yield consumer, partitions
        finally:
            await close_consumer(consumer, within_ms=CLOSE_MS)


async def _behind(consumer: Consumer, ends: dict[TopicPartition, int]) -> bool:
    return any([await consumer.position(partition) < end for partition, end in ends.items()])


async def _left(admin: AIOKafkaAdminClient, group: str, ends: dict[TopicPartition, int]) -> int:
    """How many records the group has yet to answer."""
    committed = await admin.list_consumer_group_offsets(group, partitions=list(ends))
    at = {partition: max(0, offset.offset) for partition, offset in committed.items()}
    return sum(max(0, end - at.get(partition, 0)) for partition, end in ends.items())
