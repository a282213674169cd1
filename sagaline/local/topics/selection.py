"""Which records of a topic a person wants to see: where, of which key, type and saga, how many."""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from sagaline.chassis.log_reader import LogReader
from sagaline.chassis.log_records import LogRecord, Span
from sagaline.chassis.replay import matches
from sagaline.local.topics import bounds
from sagaline.local.topics.bounds import Bound
from sagaline.local.topics.decoding import header


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A range, and what of it counts; none of something: all of it.

    Without `first` it is the newest records that count: the last `limit`, or with `follow` those to
    come. With it, it is the first `limit` from there.
    """

    first: Bound | None = None
    until: Bound | None = None
    keys: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    saga: str | None = None
    limit: int | None = None
    follow: bool = False

    def counts(self, record: LogRecord) -> bool:
        """Whether the record is one of those. What can't be read could be, so it is."""
        if record.unread is not None:
            return True
        if self.saga is not None and header(record, "ce_sagaid") != self.saga:
            return False
        return matches(record, keys=self.keys, types=self.types)

    @property
    def _all(self) -> bool:
        return not (self.keys or self.types or self.saga)

    async def records(self, reader: LogReader) -> AsyncIterator[LogRecord]:
        """The records, in the order of their Kafka time; with `follow`, without end.

        Reading ends at what stood in the log at the call, and goes on from there with `follow`.
        """
        spans = await bounds.spans(reader, self.first, self.until)
        if self.first is None and self.follow:
            spans = {number: Span(span.until, span.until) for number, span in spans.items()}
        elif self.first is None and self.limit is not None:
            for record in await self._newest(reader, spans, self.limit):
                yield record
            return
        shown = 0
        async for record in self._from(reader, spans):
            if self.limit is not None and shown >= self.limit:
                return
            if self.counts(record):
                shown += 1
                yield record
                if shown == self.limit:
                    return

    async def _from(self, reader: LogReader, spans: Mapping[int, Span]) -> AsyncIterator[LogRecord]:
        async for record in reader.read(spans):
            yield record
        if self.follow:
            firsts = {number: span.until for number, span in spans.items()}
            async for record in reader.follow(firsts):
                yield record

    async def _newest(
        self, reader: LogReader, spans: Mapping[int, Span], limit: int
    ) -> deque[LogRecord]:
        """The last `limit` that count; where all count, not more of each partition is read."""
        if self._all:
            spans = {
                number: Span(max(span.first, span.until - limit), span.until)
                for number, span in spans.items()
            }
        newest: deque[LogRecord] = deque(maxlen=limit)
        async for record in reader.read(spans):
            if self.counts(record):
                newest.append(record)
        return newest
