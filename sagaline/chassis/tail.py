"""The tail of a topic: the keys of its new records, heard without a group by whoever waits.

Nothing is decoded, kept or committed, and records may be missed: at the start, while partitions
change hands, during an outage. Each time that is said, and whoever must not miss anything looks.
"""

import asyncio
from collections.abc import Callable, Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry, Counter
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.client_end import close_consumer
from sagaline.chassis.positions import Partition

POLL_MS = 200  # so soon it is noticed that other partitions are to be followed, or none
LINGER_S = 10.0  # a connection that nobody needs is kept for so long
BACKOFF_S = 1.0
CLOSE_MS = 2_000


class Tail:
    """Follows those partitions of `topic` whose records come to nobody in this process otherwise.

    Only while `wanted` is set. `elsewhere` gives the partitions to leave out. `heard` gets the keys
    of new records; `missed` is called when there may have been others.
    """

    def __init__(
        self,
        topic: str,
        *,
        bootstrap: str,
        client_id: str,
        wanted: asyncio.Event,
        elsewhere: Callable[[], Collection[Partition]],
        heard: Callable[[Collection[str]], None],
        missed: Callable[[], None],
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
    ) -> None:
        self._topic = topic
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._wanted = wanted
        self._elsewhere = elsewhere
        self._heard = heard
        self._missed = missed
        self._log = log
        self._partitions: frozenset[Partition] | None = None  # of the topic, once known
        self._records = Counter(
            "sagaline_tail_records_total", "Records whose keys were heard.", registry=registry
        )
        self._failures = Counter(
            "sagaline_tail_failures_total", "Ends of following by an error.", registry=registry
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow until `stopping`, through outages of Kafka."""
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self._follow_on())
            await stopping.wait()
            following.cancel()

    async def _follow_on(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                if self._partitions is None or self._to_follow():
                    await self._follow()
            except Exception as error:  # noqa: BLE001 - the top of a loop; whoever waits looks
                self._failures.inc()
                self._log.warning("not following", topic=self._topic, reason=repr(error))
                await asyncio.sleep(BACKOFF_S)
            await asyncio.sleep(POLL_MS / 1000)

    def _to_follow(self) -> frozenset[Partition]:
        return (self._partitions or frozenset()).difference(self._elsewhere())

    async def _follow(self) -> None:
        """Hear records until nobody wants to, or all come elsewhere."""
        kafka = self._kafka()
        try:
            await kafka.start()
            await self._learn_partitions(kafka)
            following: frozenset[Partition] = frozenset()
            now_s = asyncio.get_running_loop().time
            until_s = now_s() + LINGER_S
            while now_s() < until_s and (to_follow := self._to_follow()):
                if to_follow != following:
                    following = await self._move(kafka, to_follow)
                await self._hear(kafka)
                if self._wanted.is_set():
                    until_s = now_s() + LINGER_S
        finally:
            await close_consumer(kafka, within_ms=CLOSE_MS)

    async def _learn_partitions(self, kafka: AIOKafkaConsumer) -> None:
        if self._topic not in await kafka.topics():
            raise TimeoutError("it does not exist yet")
        # The client knows the partitions of those topics only of which it was given one.
        first = TopicPartition(self._topic, 0)
        kafka.assign([first])
        await kafka.seek_to_end(first)
        numbers = kafka.partitions_for_topic(self._topic) or ()
        self._partitions = frozenset((self._topic, number) for number in numbers)

    async def _move(
        self, kafka: AIOKafkaConsumer, to_follow: frozenset[Partition]
    ) -> frozenset[Partition]:
        """Follow these from their ends on."""
        places = [TopicPartition(*each) for each in to_follow]
        kafka.assign(places)
        await kafka.seek_to_end(*places)
        self._missed()
        return to_follow

    async def _hear(self, kafka: AIOKafkaConsumer) -> None:
        found = await kafka.getmany(timeout_ms=POLL_MS)
        keys = {record.key for records in found.values() for record in records}
        if keys:
            self._records.inc(sum(map(len, found.values())))
            self._heard({key.decode(errors="replace") for key in keys if key is not None})

    def _kafka(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            request_timeout_ms=20_000,
            retry_backoff_ms=100,
            fetch_max_wait_ms=500,
            fetch_min_bytes=1,
            isolation_level="read_uncommitted",
        )
