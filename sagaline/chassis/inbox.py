"""The inbox: a batch of records is one transaction, and a poison record stops nobody else.

See docs/architecture.md, "Consumer" and "Parking". A batch that fails is bisected, so that each
half commits a contiguous prefix of its partitions, down to the record that fails alone; that one is
tried again, and then parked.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from sagaline.chassis import parking, positions
from sagaline.chassis.batch import Cursors, Raw, halves, key_of
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.envelope import Envelope, Record
from sagaline.chassis.errors import MalformedEnvelope, PlatformError
from sagaline.chassis.faults import passing
from sagaline.chassis.handlers import RecordHandler
from sagaline.chassis.parking import Parking, Poison, Queue, queue_of
from sagaline.chassis.positions import Fenced


class Tally(Protocol):
    """What the inbox reports of its work; the service's metrics."""

    def handled(self, topic: str, *, records: int, repeated: int) -> None:
        """`records` were handled, `repeated` of them answered from the barrier."""

    def committed(self, batch: Sequence[Raw]) -> None:
        """A batch was committed."""

    def failed(self, error: BaseException) -> None:
        """A batch failed by a record's fault, and is bisected or tried again."""

    def parked(self, poison: Poison) -> None:
        """A record was parked."""


class Inbox:
    """Handles batches against a service's database. All of its state is in the cursors given."""

    def __init__(
        self,
        database: Database,
        codec: Codec,
        *,
        commands: Mapping[str, Commands],
        records: Mapping[str, RecordHandler],
        parking: Parking,
        attempts_max: int,
        tally: Tally,
        log: FilteringBoundLogger,
    ) -> None:
        self._database = database
        self._codec = codec
        self._commands = commands
        self._records = records
        self._parking = parking
        self._attempts_max = attempts_max
        self._tally = tally
        self._log = log

    async def handle(self, batch: Sequence[Raw], cursors: Cursors) -> None:
        """All of `batch` is committed, effects or parked.

        Raises Fenced, or an error that passes; what is committed by then, `cursors` tells.
        """
        try:
            await self._commit(batch, cursors)
        except Fenced:
            raise
        except Exception as error:  # a handler may raise anything; bisected
            if passing(error):
                raise
            self._failed(batch, error)
            if len(batch) == 1:
                await self._alone(batch[0], cursors, error)
                return
            for half in halves(batch):
                await self.handle(half, cursors)

    async def handle_one(self, tx: Transaction, raw: Raw) -> None:
        """The record, which a batch left behind, is handled in `tx`; raises what is wrong with it.

        `tx` holds the partition's row of positions, so no batch of it comes in between.
        """
        await self._dispatch(tx, {raw.topic: [self._record(raw)]})

    async def _alone(self, raw: Raw, cursors: Cursors, error: Exception) -> None:
        """The record fails by itself: try again, then park it."""
        for _ in range(1, self._attempts_max):
            try:
                await self._commit([raw], cursors)
                return
            except Fenced:
                raise
            except Exception as again:  # as above
                if passing(again):
                    raise
                self._failed([raw], again)
                error = again
        await self._commit([raw], cursors, poison=Poison.of(raw, error))

    async def _commit(
        self, batch: Sequence[Raw], cursors: Cursors, *, poison: Poison | None = None
    ) -> None:
        taken = cursors.spans(batch)
        async with self._database.transaction() as tx:
            counts = await positions.advance(tx, taken)
            suspects = [raw for raw in batch if counts[raw.topic, raw.partition]]
            parked = await parking.parked_queues(tx, suspects) if suspects else set()
            if poison is None:
                records, poisons = self._decode(batch, parked)
            else:
                records, poisons = {}, [poison]
            if poisons:
                await self._parking.park(tx, poisons, parked)
            repeated = await self._dispatch(tx, records)
        cursors.passed(taken, tx.outbox_id_max)
        self._tally.committed(batch)
        for topic, handled in records.items():
            self._tally.handled(topic, records=len(handled), repeated=repeated.get(topic, 0))
        for one in poisons:
            self._tally.parked(one)
            self._log.warning("parked", **_place(one.raw), error_class=one.error_class)

    def _failed(self, batch: Sequence[Raw], error: Exception) -> None:
        # The class alone: what an error says may quote the payload. A parked row has all of it.
        self._tally.failed(error)
        self._log.warning(
            "batch failed",
            **_place(batch[0]),
            records=len(batch),
            error_class=type(error).__name__,
        )

    def _decode(
        self, batch: Sequence[Raw], parked: set[Queue]
    ) -> tuple[dict[str, list[Record]], list[Poison]]:
        """Records by topic, and what is to be parked: undecodable, or behind a parked one."""
        records: dict[str, list[Record]] = {}
        poisons: list[Poison] = []
        shut = set(parked)
        seen: set[tuple[str, bytes | None]] = set()
        for raw in batch:
            if queue_of(raw) in shut:
                poisons.append(Poison(raw, parking.BEHIND, "A record before it is parked."))
            elif raw.topic not in self._commands or (raw.topic, raw.key) not in seen:
                try:
                    records.setdefault(raw.topic, []).append(self._record(raw))
                    seen.add((raw.topic, raw.key))
                except PlatformError as error:
                    poisons.append(Poison.of(raw, error))
                    shut.add(queue_of(raw))
        return {topic: found for topic, found in records.items() if found}, poisons

    def _record(self, raw: Raw) -> Record:
        envelope = Envelope.parse(raw.headers)
        if envelope.subject != key_of(raw):
            # A batch holds a key once, and with it a saga step: under another key it came twice.
            raise MalformedEnvelope(reason=f"key {key_of(raw)!r}, subject {envelope.subject!r}")
        message = self._codec.decode(raw.value or b"")
        record = Record(
            raw.topic,
            raw.partition,
            raw.offset,
            key_of(raw),
            envelope,
            message,
            raw.value or b"",
        )
        if raw.topic in self._commands:
            self._commands[raw.topic].check(record)
        return record

    async def _dispatch(
        self, tx: Transaction, records: Mapping[str, Sequence[Record]]
    ) -> dict[str, int]:
        """Give each topic's records to its handler; say how many were repeats, by topic."""
        repeated: dict[str, int] = {}
        folded: dict[RecordHandler, list[Record]] = {}
        for topic, found in sorted(records.items()):
            if topic in self._commands:
                repeated[topic] = await self._commands[topic].handle(tx, found)
            else:
                # One call for all topics of a handler: it locks and folds them as one set.
                folded.setdefault(self._records[topic], []).extend(found)
        for handler, found in folded.items():
            tx.publish(*await handler(tx, found))
        return repeated


def _place(raw: Raw) -> dict[str, str | int]:
    """Where a record stands, for the log; of a batch, its first."""
    return {
        "topic": raw.topic,
        "partition": raw.partition,
        "offset": raw.offset,
        "key": key_of(raw),
    }
