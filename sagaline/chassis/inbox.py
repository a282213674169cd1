"""The inbox: a batch of records is one transaction, and a poison record stops nobody else.

See docs/architecture.md, "Consumer" and "Parking". A batch that fails is bisected, so that each
half commits a contiguous prefix of its partitions, down to the record that fails alone; that one is
tried again, and then parked.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from structlog.typing import FilteringBoundLogger

from sagaline.chassis import parking, positions
from sagaline.chassis.batch import Cursors, Raw, halves, header, key_of, place_of
from sagaline.chassis.commands import Commands, Results
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.envelope import Record
from sagaline.chassis.faults import passing
from sagaline.chassis.handlers import RecordHandler
from sagaline.chassis.parking import Parking, Poison, Queue
from sagaline.chassis.positions import Fenced, Partition
from sagaline.chassis.prepared import PLAIN, Prepared
from sagaline.chassis.sorter import Sorter
from sagaline.chassis.tracing import UNTRACED, TraceParent

if TYPE_CHECKING:
    from sagaline.chassis.spans import Handled, Spans


class Tally(Protocol):
    """What the inbox reports of its work; the service's metrics."""

    def handled(self, topic: str, *, records: int, repeated: int) -> None:
        """`records` were handled, `repeated` of them answered from the barrier."""

    def committed(self, batch: Sequence[Raw], *, seconds: float) -> None:
        """A batch was committed, by a transaction that took so long."""

    def failed(self, error: BaseException) -> None:
        """A batch failed by a record's fault, and is bisected or tried again."""

    def parked(self, poison: Poison) -> None:
        """A record was parked."""


class Outside(Protocol):
    """Gets what effects need before their batch is committed; see `outside`."""

    async def handle(self, inbox: "Inbox", batch: Sequence[Raw], cursors: Cursors) -> None:
        """Have `inbox` commit all of `batch`, with the results of its calls."""

    async def get_for(self, inbox: "Inbox", raw: Raw) -> Prepared:
        """The results of the calls that this record needs, which a batch left behind."""
        ...


class Inbox:
    """Handles batches against a service's database. All of its state is in the cursors given."""

    def __init__(
        self,
        database: Database,
        sorter: Sorter,
        *,
        commands: Mapping[str, Commands],
        records: Mapping[str, RecordHandler],
        parking: Parking,
        attempts_max: int,
        tally: Tally,
        log: FilteringBoundLogger,
        outside: Outside | None = None,
        spans: "Spans | None" = None,
    ) -> None:
        self._database = database
        self._sorter = sorter
        self._commands = commands
        self._records = records
        self._parking = parking
        self._attempts_max = attempts_max
        self._tally = tally
        self._log = log
        self._outside = outside
        self._spans = spans

    async def handle(self, batch: Sequence[Raw], cursors: Cursors) -> None:
        """All of `batch` is committed, effects or parked.

        Raises Fenced, or an error that passes; what is committed by then, `cursors` tells.
        """
        if self._outside is None:
            await self.commit(batch, cursors, PLAIN)
        else:
            await self._outside.handle(self, batch, cursors)

    async def commit(self, batch: Sequence[Raw], cursors: Cursors, prepared: Prepared) -> None:
        """As `handle`, with what the batch needs of the outside."""
        try:
            await self._commit(batch, cursors, prepared)
        except Fenced:
            raise
        except Exception as error:  # a handler may raise anything; bisected
            if passing(error):
                raise
            self.failed(batch, error)
            if len(batch) == 1:
                await self._alone(batch[0], cursors, prepared, error)
                return
            for half in halves(batch):
                await self.commit(half, cursors, prepared)

    async def prepare_one(self, raw: Raw) -> Prepared:
        """What `handle_one` needs of the outside; raises what is wrong with that."""
        return PLAIN if self._outside is None else await self._outside.get_for(self, raw)

    async def handle_one(self, tx: Transaction, raw: Raw, prepared: Prepared) -> None:
        """The record, which a batch left behind, is handled in `tx`; raises what is wrong with it.

        `tx` holds the partition's row of positions, so no batch of it comes in between.
        """
        await self._dispatch(tx, {raw.topic: [self._sorter.record(raw)]}, prepared.results)

    async def _alone(
        self, raw: Raw, cursors: Cursors, prepared: Prepared, error: Exception
    ) -> None:
        """The record fails by itself: try again, then park it."""
        for _ in range(1, self._attempts_max):
            try:
                await self._commit([raw], cursors, prepared)
                return
            except Fenced:
                raise
            except Exception as again:  # as above
                if passing(again):
                    raise
                self.failed([raw], again)
                error = again
        await self._commit([raw], cursors, prepared, poison=Poison.of(raw, error))

    async def park(self, poison: Poison, cursors: Cursors) -> None:
        """The record is parked without being handled."""
        await self._commit([poison.raw], cursors, PLAIN, poison=poison)

    async def fence(
        self, tx: Transaction, batch: Sequence[Raw], cursors: Cursors | None
    ) -> Mapping[Partition, int]:
        """The partitions of the batch are ours and locked, and not moved: their parked keys.

        Without cursors, for what batches left behind, they are locked, whosesoever they are.
        """
        if cursors is None:
            for partition in sorted({(raw.topic, raw.partition) for raw in batch}):
                await positions.lock(tx, partition)
            return {}
        spans = [span._replace(next_offset=span.expected) for span in cursors.spans(batch)]
        return await positions.advance(tx, spans)

    async def standing(
        self, tx: Transaction, batch: Sequence[Raw], cursors: Cursors | None
    ) -> dict[str, list[Record]]:
        """The commands of the batch that will be handled, by topic; raises Fenced.

        Without cursors a record is handled although its key is parked, or its error is raised.
        """
        counts = await self.fence(tx, batch, cursors)
        if cursors is None:
            return {raw.topic: [self._sorter.record(raw)] for raw in batch}
        records, _ = self._sorter.sort(batch, await _parked(tx, batch, counts), PLAIN)
        return {topic: found for topic, found in records.items() if topic in self._commands}

    async def _commit(
        self,
        batch: Sequence[Raw],
        cursors: Cursors,
        prepared: Prepared,
        *,
        poison: Poison | None = None,
    ) -> None:
        began_s = time.perf_counter()
        taken = cursors.spans(batch, prepared.ends)
        if cursors.ahead:
            batch = [raw for raw in batch if place_of(raw) not in cursors.ahead]
        with self._tracing(batch) as traced:
            async with self._database.transaction() as tx:
                counts = await positions.advance(tx, taken)
                parked = await _parked(tx, batch, counts)
                if poison is None:
                    records, poisons = self._sorter.sort(batch, parked, prepared)
                else:
                    records, poisons = {}, [poison]
                if poisons:
                    await self._parking.park(tx, poisons, parked)
                if traced is not None:
                    records = traced.moved(records)
                repeated = await self._dispatch(tx, records, prepared.results)
        cursors.passed(taken, tx.outbox_id_max)
        if prepared.ends:
            cursors.overtook(batch)
        self._tally.committed(batch, seconds=time.perf_counter() - began_s)
        for topic, handled in records.items():
            self._tally.handled(topic, records=len(handled), repeated=repeated.get(topic, 0))
        for one in poisons:
            self._tally.parked(one)
            self._log.warning("parked", **_place(one.raw), error_class=one.error_class)

    def _tracing(self, batch: Sequence[Raw]) -> "AbstractContextManager[Handled | None]":
        return UNTRACED if self._spans is None else self._spans.batch(batch)

    def failed(self, batch: Sequence[Raw], error: Exception) -> None:
        """Say that the batch failed by a record's fault."""
        # The class alone: what an error says may quote the payload. A parked row has all of it.
        self._tally.failed(error)
        self._log.warning(
            "batch failed",
            **_place(batch[0]),
            records=len(batch),
            error_class=type(error).__name__,
        )

    async def _dispatch(
        self, tx: Transaction, records: Mapping[str, Sequence[Record]], results: Results
    ) -> dict[str, int]:
        """Give each topic's records to its handler; say how many were repeats, by topic."""
        repeated: dict[str, int] = {}
        folded: dict[RecordHandler, list[Record]] = {}
        for topic, found in sorted(records.items()):
            if topic in self._commands:
                repeated[topic] = await self._commands[topic].handle(
                    tx, found, results, fenced=True
                )
            else:
                # One call for all topics of a handler: it locks and folds them as one set.
                folded.setdefault(self._records[topic], []).extend(found)
        for handler, found in folded.items():
            tx.publish(*await handler(tx, found))
        return repeated


async def _parked(
    tx: Transaction, batch: Sequence[Raw], counts: Mapping[Partition, int]
) -> set[Queue]:
    """Which queues of the batch are parked; most partitions say that they have none."""
    suspects = [raw for raw in batch if counts[raw.topic, raw.partition]]
    return await parking.parked_queues(tx, suspects) if suspects else set()


def _place(raw: Raw) -> dict[str, str | int]:
    """Where a record stands, and whose it is, for the log; of a batch, its first."""
    trace = TraceParent.parse(header(raw, "traceparent"))
    known = {"saga_id": header(raw, "ce_sagaid"), "trace_id": trace.trace_id if trace else None}
    return {
        "topic": raw.topic,
        "partition": raw.partition,
        "offset": raw.offset,
        "key": key_of(raw),
        **{name: value for name, value in known.items() if value is not None},
    }
