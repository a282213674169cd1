"""A topic's log as it stands, read without a group: nothing is committed, nobody is disturbed.

What a debugger and a replay need: where the partitions begin and end, which offset a moment has,
and the records of a range in the order of their Kafka time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from sagaline.chassis.client_end import close_consumer
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.log_records import LogRecord, Span, Spans, Stored

CLOSE_MS = 2_000
FETCH_MS = 300
FETCH_RECORDS_MAX = 500
SILENCE_S = 20.0  # without a record that must be there, before we say so

Consumer: TypeAlias = "AIOKafkaConsumer[bytes, bytes]"


class KafkaAway(PlatformError):
    """Kafka at {bootstrap} does not answer: {reason}."""

    status = 503


class NoSuchTopic(PlatformError):
    """There is no topic {topic}."""

    status = 404


class LogReader:
    """One topic; `opened` makes one. Not for several tasks at once."""

    def __init__(
        self, kafka: Consumer, topic: str, partitions: Sequence[int], *, bootstrap: str
    ) -> None:
        self.topic = topic
        self._kafka = kafka
        self._bootstrap = bootstrap
        self._places = {number: TopicPartition(topic, number) for number in partitions}
        self._next: dict[int, int] = {}
        self._until: dict[int, int] = {}
        self._fetched: dict[int, deque[LogRecord]] = {}

    async def extent(self) -> dict[int, Span]:
        """What the log holds now, by partition."""
        begins = await self._kafka.beginning_offsets(list(self._places.values()))
        ends = await self._kafka.end_offsets(list(self._places.values()))
        return {n: Span(begins[place], ends[place]) for n, place in self._places.items()}

    async def offsets_at(self, moment: datetime) -> dict[int, int]:
        """Each partition's first offset whose Kafka time is not before `moment`, or its end."""
        asked = dict.fromkeys(self._places.values(), int(moment.timestamp() * 1000))
        found = await self._kafka.offsets_for_times(asked)
        ends = await self._kafka.end_offsets(list(asked))
        at = {n: (found.get(place), ends[place]) for n, place in self._places.items()}
        return {n: end if first is None else first.offset for n, (first, end) in at.items()}

    async def read(self, spans: Spans) -> AsyncIterator[LogRecord]:
        """Every record of `spans`, those of all partitions in the order of their Kafka time.

        Within a partition the order is the log's. Raises KafkaAway when records that must be there
        don't come.
        """
        self._begin({number: span for number, span in spans.items() if len(span)})
        while self._until:
            await self._fill()
            while self._until and all(self._fetched[number] for number in self._until):
                first = min(self._until, key=lambda number: _order(self._fetched[number][0]))
                yield self._fetched[first].popleft()
                self._drop_if_done(first)

    async def follow(self, firsts: Mapping[int, int]) -> AsyncIterator[LogRecord]:
        """Every record from these offsets on, as it comes; there is no end."""
        self._begin({number: Span(first, 2**63 - 1) for number, first in firsts.items()})
        while True:
            await self._fetch(list(self._until))
            for record in sorted(
                (record for fetched in self._fetched.values() for record in fetched), key=_order
            ):
                yield record
            for fetched in self._fetched.values():
                fetched.clear()

    def _begin(self, spans: Spans) -> None:
        self._kafka.pause(*self._places.values())
        self._next = {number: span.first for number, span in spans.items()}
        self._until = {number: span.until for number, span in spans.items()}
        self._fetched = {number: deque() for number in spans}
        for number, offset in self._next.items():
            self._kafka.seek(self._places[number], offset)
            self._kafka.resume(self._places[number])

    def _drop_if_done(self, number: int) -> None:
        if not self._fetched[number] and self._next[number] >= self._until[number]:
            del self._until[number]

    async def _fill(self) -> None:
        """Each partition that is not at its end has a record that waits."""
        loop = asyncio.get_running_loop()
        silent_at_s = loop.time() + SILENCE_S
        while lacking := [number for number in self._until if not self._fetched[number]]:
            before = dict(self._next)
            await self._fetch(lacking)
            for number in lacking:
                self._drop_if_done(number)
            if self._next != before:
                silent_at_s = loop.time() + SILENCE_S
            elif loop.time() > silent_at_s:
                reason = f"nothing of {self.topic} came in {SILENCE_S:.0f} s"
                raise KafkaAway(bootstrap=self._bootstrap, reason=reason)

    async def _fetch(self, numbers: Sequence[int]) -> None:
        """What Kafka has of these partitions waits; at most one request's worth."""
        places = [self._places[number] for number in numbers]
        try:
            found = await self._kafka.getmany(
                *places, timeout_ms=FETCH_MS, max_records=FETCH_RECORDS_MAX
            )
        except UnicodeDecodeError:
            # The client decodes headers' names itself. It doesn't say where it failed, and what it
            # took along is lost: all of it is asked for again, a record at a time.
            for number in numbers:
                await self._fetch_singly(number)
            return
        for place, records in found.items():
            self._take(place.partition, records)
        for number in numbers:
            if not self._fetched[number]:  # gaps are passed, too: of a compaction, say
                position = await self._kafka.position(self._places[number])
                self._next[number] = max(self._next[number], position)
            if self._next[number] >= self._until[number]:
                self._kafka.pause(self._places[number])

    async def _fetch_singly(self, number: int) -> None:
        place, offset = self._places[number], self._next[number]
        self._kafka.seek(place, offset)
        try:
            found = await self._kafka.getmany(place, timeout_ms=FETCH_MS, max_records=1)
        except UnicodeDecodeError as error:
            reason = f"a header's name, in its record batch, is no UTF-8: {error}"
            self._fetched[number].append(LogRecord(self.topic, number, offset, unread=reason))
            self._next[number] = offset + 1
            self._kafka.seek(place, offset + 1)
        else:
            self._take(number, found.get(place, ()))

    def _take(self, number: int, records: Sequence[Stored]) -> None:
        """Those within the range wait; fetches from before a seek are passed over."""
        for record in records:
            if record.offset < self._next[number]:
                continue
            if record.offset < self._until[number]:
                self._fetched[number].append(LogRecord.of(record))
            self._next[number] = record.offset + 1


def _order(record: LogRecord) -> tuple[datetime, int, int]:
    # What can't be read has no time: it doesn't keep the others waiting.
    return (record.time or datetime.min.replace(tzinfo=UTC), record.partition, record.offset)


@asynccontextmanager
async def opened(
    topic: str, *, bootstrap: str, client_id: str, timeout_ms: int = 10_000
) -> AsyncIterator[LogReader]:
    """A reader of `topic` for the block. Raises NoSuchTopic, and KafkaAway in the block, too."""
    kafka: Consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        # What was deleted while we read is passed over: the next record is the first that is left.
        auto_offset_reset="earliest",
        isolation_level="read_uncommitted",
        request_timeout_ms=timeout_ms,
    )
    try:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                partitions = await _partitions(topic, bootstrap, client_id)
                await kafka.start()
        except OSError as error:  # TimeoutError is one; later on, the client has made them its own
            raise KafkaAway(bootstrap=bootstrap, reason=_said(error)) from error
        kafka.assign([TopicPartition(topic, number) for number in partitions])
        # Nothing is fetched but what is read: at the log's end a fetch waits for half a second, and
        # with it every question that comes after it on its connection.
        kafka.pause(*kafka.assignment())
        yield LogReader(kafka, topic, partitions, bootstrap=bootstrap)
    except KafkaError as error:
        raise KafkaAway(bootstrap=bootstrap, reason=_said(error)) from error
    finally:
        await close_consumer(kafka, within_ms=CLOSE_MS)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _partitions(topic: str, bootstrap: str, client_id: str) -> list[int]:
    """The numbers of the topic's partitions. Raises NoSuchTopic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=client_id)
    try:
        await admin.start()
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    if not described["partitions"]:  # nor can there ever be one of some names
        raise NoSuchTopic(topic=topic)
    return sorted(partition["partition"] for partition in described["partitions"])
