"""What timers ask Kafka: where a log ends, and how far a group has answered it."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from sagaline.chassis.client_end import close_consumer
from sagaline.chassis.partitioner import partition_of
from sagaline.chassis.positions import Partition


class Broker:
    """Asks about topics and groups; connects when it is first asked, and anew after `close`.

    Every question raises KafkaError or TimeoutError when Kafka can't be asked.
    """

    def __init__(self, bootstrap: str, *, client_id: str, timeout_ms: int) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._timeout_ms = timeout_ms
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._partition_counts: dict[str, int] = {}

    async def partition(self, topic: str, key: str) -> Partition:
        """Where records of this key stand in this topic."""
        if topic not in self._partition_counts:
            admin = await self._connected_admin()
            async with asyncio.timeout(self._timeout_ms / 1000):
                described = await admin.describe_topics([topic])
            count = len(described[0]["partitions"])
            if not count:
                raise TimeoutError(f"{topic} does not exist yet")
            self._partition_counts[topic] = count
        return (topic, partition_of(key, self._partition_counts[topic]))

    async def ends(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The end offset of each log: one more than the last record's."""
        if not partitions:
            return {}
        consumer = await self._connected_consumer()
        async with asyncio.timeout(self._timeout_ms / 1000):
            ends = await consumer.end_offsets([TopicPartition(*each) for each in partitions])
        return {(each.topic, each.partition): end for each, end in ends.items()}

    async def committed(
        self, partitions: Mapping[str, Collection[Partition]]
    ) -> dict[Partition, int]:
        """Committed offsets of each group; a partition that it never committed is absent."""
        admin = await self._connected_admin()
        found: dict[Partition, int] = {}
        for group, wanted in partitions.items():
            async with asyncio.timeout(self._timeout_ms / 1000):
                offsets = await admin.list_consumer_group_offsets(
                    group, partitions=[TopicPartition(*each) for each in wanted]
                )
            found |= {
                (each.topic, each.partition): committed.offset
                for each, committed in offsets.items()
                if committed.offset >= 0
            }
        return found

    async def close(self) -> None:
        """Drop the connections, in bounded time."""
        consumer, admin = self._consumer, self._admin
        self._consumer = self._admin = None
        if consumer is not None:
            await close_consumer(consumer, within_ms=self._timeout_ms)
        if admin is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timeout_ms / 1000):
                    await admin.close()

    async def _connected_consumer(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                client_id=self._client_id,
                group_id=None,
                enable_auto_commit=False,
                request_timeout_ms=self._timeout_ms,
            )
            self._consumer = consumer
            async with asyncio.timeout(self._timeout_ms / 1000):
                await consumer.start()
        return self._consumer

    async def _connected_admin(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(
                bootstrap_servers=self._bootstrap,
                client_id=self._client_id,
                request_timeout_ms=self._timeout_ms,
            )
            self._admin = admin
            async with asyncio.timeout(self._timeout_ms / 1000):
                await admin.start()
        return self._admin
