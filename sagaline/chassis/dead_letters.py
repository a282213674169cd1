"""Dead letters: parked records go on, or are given up, by the will of an operator.

See docs/architecture.md, "Dead letters". A queue is the parked records of one key in one partition.
Each of them has a transaction of its own, which begins with the queue's row of positions: so a
record that comes meanwhile waits, and parks behind or finds the key free; two operators take turns;
and whatever ends the process leaves each record either parked or dealt with.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from structlog.typing import FilteringBoundLogger

from sagaline.chassis import interventions, parked_rows, positions
from sagaline.chassis.database import Database, Transaction
from sagaline.chassis.discarding import Discarding
from sagaline.chassis.faults import passing
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.interventions import Mandate, Verb
from sagaline.chassis.parked_rows import ParkedRecord
from sagaline.chassis.parking import Poison, Queue
from sagaline.chassis.prepared import PLAIN

Work: TypeAlias = Callable[[Transaction, ParkedRecord], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Dealt:
    """How a queue fared: `done` records are parked no more, `left` are; and what stopped it."""

    queue: Queue
    done: int
    left: int
    stopped_at: int | None = None
    error_class: str | None = None
    error: str | None = None


class DeadLetters:
    """Redrives and discards what one service has parked. Holds nothing between two calls."""

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        discarding: Discarding,
        *,
        log: FilteringBoundLogger,
    ) -> None:
        self._database = database
        self._inbox = inbox
        self._discarding = discarding
        self._log = log

    async def redrive(self, queue: Queue, mandate: Mandate, *, records_max: int) -> Dealt:
        """At most so many of the queue's records are handled, in order, as if they came now.

        The first that fails again stays where it is, with its new error, and what is behind it.
        An error that passes is raised; what was handled by then is.
        """
        done = 0
        while done < records_max:
            try:
                handle = await self._handling(queue)
                taken = await self._next(queue, "redrive", handle, mandate)
            except _Failed as failed:
                return await self._stopped(queue, done, failed, mandate)
            if taken is None:
                return Dealt(queue, done, 0)
            done += 1
            if not taken:
                return Dealt(queue, done, 0)
        return Dealt(queue, done, await self._size(queue))

    async def _handling(self, queue: Queue) -> Work:
        """How the queue's first record is handled, once what it needs of the outside is there."""
        async with self._database.reading() as tx:
            first = await parked_rows.of_queue(tx, queue, limit=1)
        prepared = PLAIN
        for record in first:
            try:
                prepared = await self._inbox.prepare_one(record.raw)
            except Exception as error:  # as in `_next`
                if passing(error):
                    raise
                raise _Failed(record, error) from error

        async def handle(tx: Transaction, record: ParkedRecord) -> None:
            await self._inbox.handle_one(tx, record.raw, prepared)

        return handle

    async def discard(self, queue: Queue, mandate: Mandate, *, records_max: int) -> Dealt:
        """At most so many of the queue's records, the first ones, are given up, and sagas told.

        The first that can't be given up stays where it is, and what is behind it.
        """
        done, left = 0, await self._size(queue)
        while left and done < records_max:
            try:
                taken = await self._next(queue, "discard", self._discarded(mandate), mandate)
            except _Failed as failed:
                said = Poison.of(failed.record.raw, failed.error)
                return Dealt(queue, done, left, failed.record.id, said.error_class, said.error)
            if taken is None:
                return Dealt(queue, done, 0)
            done, left = done + 1, taken
        return Dealt(queue, done, left)

    async def discard_one(self, record: ParkedRecord, mandate: Mandate) -> Dealt:
        """The record is given up, wherever it stands in its queue; the others stay parked.

        Raises MayHaveHappened.
        """
        async with self._database.transaction() as tx:
            await positions.lock(tx, record.queue.place)
            found = await parked_rows.find(tx, record.id)
            if found is None:  # another operator was quicker
                return Dealt(record.queue, 0, await parked_rows.size(tx, record.queue))
            left = await self._take(tx, found, "discard", self._discarded(mandate), mandate)
        return Dealt(record.queue, 1, left)

    def _discarded(self, mandate: Mandate) -> Work:
        async def discard(tx: Transaction, record: ParkedRecord) -> None:
            await self._discarding.discard(tx, record.raw, mandate.reason or "")

        return discard

    async def _next(self, queue: Queue, verb: Verb, work: Work, mandate: Mandate) -> int | None:
        """The queue's first record is dealt with: how many are left; None if there was none.

        Raises _Failed where `work` on it does, and nothing is changed then.
        """
        record: ParkedRecord | None = None
        try:
            async with self._database.transaction() as tx:
                await positions.lock(tx, queue.place)
                first = await parked_rows.of_queue(tx, queue, limit=1)
                if not first:
                    return None
                record = first[0]
                return await self._take(tx, record, verb, work, mandate)
        except Exception as error:  # a handler may raise anything; told to the operator
            if passing(error) or record is None:
                raise
            raise _Failed(record, error) from error

    async def _take(
        self, tx: Transaction, record: ParkedRecord, verb: Verb, work: Work, mandate: Mandate
    ) -> int:
        await work(tx, record)
        left = await parked_rows.take_out(tx, record)
        await interventions.keep(tx, verb, record.subject, mandate)
        tx.afterwards(lambda: self._log.info(verb, id=record.id, **record.queue._asdict()))
        return left

    async def _stopped(self, queue: Queue, done: int, failed: "_Failed", mandate: Mandate) -> Dealt:
        record, poison = failed.record, Poison.of(failed.record.raw, failed.error)
        async with self._database.transaction() as tx:
            await positions.lock(tx, queue.place)
            if await parked_rows.failed(tx, record, poison.error_class, poison.error):
                await interventions.keep(
                    tx, "redrive", record.subject, mandate, error=poison.error_class
                )
            left = await parked_rows.size(tx, queue)
        self._log.warning(
            "redrive failed", id=record.id, **queue._asdict(), error_class=poison.error_class
        )
        return Dealt(queue, done, left, record.id, poison.error_class, poison.error)

    async def _size(self, queue: Queue) -> int:
        async with self._database.reading() as tx:
            return await parked_rows.size(tx, queue)


class _Failed(Exception):
    """The record can't be handled still."""

    def __init__(self, record: ParkedRecord, error: Exception) -> None:
        self.record = record
        self.error = error
        super().__init__(record.id)
