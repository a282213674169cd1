"""Polling: what Kafka has of the partitions that are held goes into what waits to be handled.

See docs/architecture.md, "Consumer". It goes on whatever the handling does; a consumer that doesn't
poll is given up by its group.
"""

import asyncio
from typing import NoReturn, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from sagaline.chassis.batch import Raw, Waiting
from sagaline.chassis.errors import Unreadable
from sagaline.chassis.holding import Holding

BUSY_MS = 200  # so soon it is noticed that there is room again
IDLE_MS = 1_000  # what is fetched ends the wait at once

Found: TypeAlias = "dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]"


class Polling:
    """Feeds `waiting` up to its bound, and sets `work` when there is something new in it."""

    def __init__(
        self,
        kafka: AIOKafkaConsumer,
        holding: Holding,
        waiting: Waiting,
        *,
        work: asyncio.Event,
        queue_records_max: int,
    ) -> None:
        self._kafka = kafka
        self._holding = holding
        self._waiting = waiting
        self._work = work
        self._queue_records_max = queue_records_max

    async def run(self) -> NoReturn:
        """Fetch again and again; ends only by an error or by being cancelled."""
        while True:
            room = self._queue_records_max - len(self._waiting)
            self._throttle(room)
            try:
                found = await self._kafka.getmany(
                    timeout_ms=BUSY_MS if self._waiting else IDLE_MS, max_records=max(room, 1)
                )
            except UnicodeDecodeError:
                await self._sift(max(room, 1))
            else:
                await self._take(found)

    def _throttle(self, room: int) -> None:
        """Pause fetching while too much waits; polling itself goes on, or Kafka gives us up."""
        # A partition that can't go on keeps what it has, which takes no room from the others.
        held = {TopicPartition(*each) for each in self._waiting.held} & self._kafka.assignment()
        if held:
            self._kafka.pause(*held)
        paused = self._kafka.paused() - self._holding.lost.keys() - self._holding.unclaimed - held
        if room <= 0:
            if going := self._kafka.assignment() - self._kafka.paused():
                self._kafka.pause(*going)
        elif paused and room > self._queue_records_max // 2:
            self._kafka.resume(*paused)

    async def _take(self, found: Found) -> None:
        fetched = self._holding.fetched
        expected = dict(fetched)
        for each, records in found.items():
            if records[0].offset > expected.get(each, records[0].offset):
                await self._holding.check_gap(each, expected[each])
            # Unless it was claimed anew during the check: then all this is fetched again.
            if fetched.get(each) == expected.get(each):
                self._add(each, records)

    def _add(
        self, partition: TopicPartition, records: "list[ConsumerRecord[bytes, bytes]]"
    ) -> None:
        if fresh := self._holding.fresh(partition, records):
            self._waiting.add(partition, map(_raw, fresh))
            self._work.set()

    # The client decodes the names of headers itself, and does not say which record it failed on.
    # What it took along with that one, of whichever partition, is lost to us and fetched again.

    async def _sift(self, room: int) -> None:
        """Each partition is fetched by itself once; one with an unreadable record stops there."""
        held = [TopicPartition(*partition) for partition in self._holding.fetched]
        for each in held:
            self._rewind(each)
        for each in held:
            try:
                await self._take(
                    await self._kafka.getmany(each, timeout_ms=1_000, max_records=room)
                )
            except UnicodeDecodeError:
                self._rewind(each)
                await self._read_singly(each)

    async def _read_singly(self, each: TopicPartition) -> None:
        """What stands before the unreadable record waits to be handled; there we stop."""
        try:
            while found := await self._kafka.getmany(each, timeout_ms=1_000, max_records=1):
                await self._take(found)
        except UnicodeDecodeError as error:
            offset = self._holding.fetched.get(each)
            if offset is not None:
                self._holding.stop(each, Unreadable(**each._asdict(), offset=offset, reason=error))

    def _rewind(self, each: TopicPartition) -> None:
        position = self._holding.fetched.get(each)
        if position is not None and each in self._kafka.assignment():
            self._kafka.seek(each, position)


def _raw(record: "ConsumerRecord[bytes, bytes]") -> Raw:
    return Raw(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        tuple(record.headers),
        record.value,
    )
