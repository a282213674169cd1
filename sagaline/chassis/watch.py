"""The watch over a session: how far it is behind, and whether fetching gets on.

See docs/architecture.md, "Consumer". The broker is asked on the side, because fetching waits in
silence for one that is away, and stands still in silence when it is stuck.
"""

import asyncio
from collections.abc import Mapping
from typing import NoReturn

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.holding import Holding
from sagaline.chassis.log_ends import log_ends
from sagaline.chassis.positions import Partition


class Stuck(Exception):
    """Records wait in the log, and the consumer fetches none of them."""


class Watch:
    """Looks at the ends of what is held, once an interval.

    `lag` is in records, by partition, as last measured; `problem` says that Kafka is away.
    """

    def __init__(
        self,
        kafka: AIOKafkaConsumer,
        holding: Holding,
        *,
        interval_ms: int,
        log: FilteringBoundLogger,
    ) -> None:
        self.lag: Mapping[Partition, int] = {}
        self.problem: str | None = None
        self._kafka = kafka
        self._holding = holding
        self._interval_s = interval_ms / 1000
        self._log = log
        self._behind: dict[Partition, int] = {}  # where fetching stood at the last look

    async def run(self) -> NoReturn:
        """Look again and again; raises Stuck when records wait and fetching stands still."""
        while True:
            await asyncio.sleep(self._interval_s)
            fetched = dict(self._holding.fetched)
            places = [TopicPartition(*partition) for partition in fetched]
            try:
                async with asyncio.timeout(self._interval_s):
                    begins, ends = await log_ends(self._kafka, places)
            except (KafkaError, TimeoutError) as error:
                self.problem = f"Kafka does not answer: {error!r}"
                self._log.warning("lag unknown", error=repr(error))
                continue
            self.problem = None
            self._find_shrunk(fetched, begins, ends)
            handled = self._holding.cursors.expected
            self.lag = {each: end - handled.get(each, end) for each, end in ends.items()}
            self._find_stuck(fetched, ends)

    def _find_shrunk(
        self,
        fetched: Mapping[Partition, int],
        begins: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        """A log that ends before what was read of it was made anew, or is another cluster's."""
        for each, end in ends.items():
            position = fetched[each]
            if position > end and self._holding.fetched.get(each) == position:
                self._holding.lose(each, position, begins[each], end)

    def _find_stuck(
        self, fetched: Mapping[Partition, int], ends: Mapping[TopicPartition, int]
    ) -> None:
        behind = {each for each, end in ends.items() if end > fetched[each]} - self._kafka.paused()
        if still := [each for each in behind if self._behind.get(each) == fetched[each]]:
            raise Stuck(still)
        self._behind = {each: fetched[each] for each in behind}
