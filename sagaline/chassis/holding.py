"""The partitions that a session holds: claimed in the database, and read on from where it says.

See docs/architecture.md, "Positions". Kafka assigns; only a claim makes a partition ours. One whose
position is not in the log, or whose next record can't be read, is lost: it is paused, and waits for
a person.
"""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import positions
from sagaline.chassis.batch import Cursors
from sagaline.chassis.database import Database
from sagaline.chassis.errors import PlatformError, PositionLost
from sagaline.chassis.log_ends import log_ends
from sagaline.chassis.offsets import Offsets, highest_waiting
from sagaline.chassis.positions import Partition


class Holding:
    """What Kafka assigned to this process, and how far fetching and handling are in it.

    `fetched` has, for each partition that is read, the next offset that polling expects.
    """

    def __init__(
        self,
        kafka: AIOKafkaConsumer,
        database: Database,
        offsets: Offsets,
        *,
        owner: str,
        log: FilteringBoundLogger,
    ) -> None:
        self.cursors = Cursors(passed=offsets.handled)
        self.fetched: dict[Partition, int] = {}
        self.lost: dict[Partition, PlatformError] = {}
        self.unclaimed: set[Partition] = set()
        self._kafka = kafka
        self._database = database
        self._offsets = offsets
        self._owner = owner
        self._log = log

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Nothing is held; these are to be claimed, and not fetched before.

        A claim asks Kafka, which answers nothing on a connection that a fetch waits on.
        """
        self.drop()
        self.unclaimed = set(partitions)
        self._kafka.pause(*(TopicPartition(*each) for each in partitions))
        # What is lost stays said until its claim has looked again.
        self.lost = {each: lost for each, lost in self.lost.items() if each in self.unclaimed}

    def drop(self) -> None:
        """Nothing is held any more, and nothing of it will be committed."""
        self.cursors.drop()
        self.fetched.clear()
        self._offsets.clear()

    async def release(self) -> None:
        """The rows of what is held have no owner."""
        epochs = dict(self.cursors.epochs)
        if epochs:
            async with self._database.transaction() as tx:
                await positions.release(tx, epochs)

    async def claim(self) -> None:
        """Every unclaimed partition that Kafka still gives us is ours, from its row's position."""
        unclaimed = self.unclaimed
        wanted = sorted(unclaimed & self._kafka.assignment())
        places = [TopicPartition(*partition) for partition in wanted]
        begins, ends = await log_ends(self._kafka, places)
        async with self._database.transaction() as tx:
            claimed = await positions.claim(tx, dict(begins), owner=self._owner)
            waiting = await highest_waiting(tx)
        if self.unclaimed is not unclaimed:
            return  # a rebalance came in between: what is ours by now is claimed anew
        self.cursors.set(claimed)
        for each in places:
            self._begin_at(each, claimed[each].next_offset, begins[each], ends[each])
        # Rows of earlier batches may wait: what they answer is committed when they are gone.
        read = [
            span for span in self.cursors.held() if (span.topic, span.partition) in self.fetched
        ]
        self._offsets.handled(read, waiting)
        self.unclaimed = set()

    def _begin_at(self, each: TopicPartition, position: int, begin: int, end: int) -> None:
        if begin <= position <= end:
            self.lost.pop(each, None)
            self._kafka.seek(each, position)
            self._kafka.resume(each)
            self.fetched[each] = position
        else:
            self.lose(each, position, begin, end)

    def fresh(
        self, partition: Partition, records: "list[ConsumerRecord[bytes, bytes]]"
    ) -> "list[ConsumerRecord[bytes, bytes]]":
        """What of a fetch is new; it counts as fetched now.

        Fetches from before a seek are passed over: they come again.
        """
        expected = self.fetched.get(partition)
        fresh = [record for record in records if expected is not None and record.offset >= expected]
        if fresh:
            self.fetched[partition] = fresh[-1].offset + 1
        return fresh

    async def check_gap(self, each: TopicPartition, position: int) -> None:
        """A gap is normal, but not where the log begins behind it: that was deleted unread."""
        begins, ends = await log_ends(self._kafka, [each])
        if begins[each] > position and self.fetched.get(each) == position:
            self.lose(each, position, begins[each], ends[each])

    def lose(self, each: TopicPartition, position: int, begin: int, end: int) -> None:
        """Stop there: what the partition's position points at is not in the log."""
        self.stop(each, PositionLost(**each._asdict(), position=position, begin=begin, end=end))

    def stop(self, each: TopicPartition, error: PlatformError) -> None:
        """Fetch no more of the partition, and say why; what is fetched of it is handled still."""
        self._kafka.pause(each)
        self.fetched.pop(each, None)
        self.lost[each] = error
        self._log.error("partition stopped", error=str(error))
