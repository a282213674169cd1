"""Caution: a record that kills the process is found by having it alone in hand.

See docs/architecture.md, "Parking". A process that was killed says nothing of its batch. So only
the place is suspected where two of them ended; there each record is tried by itself, and that it is
tried is committed first. Whoever stops processes from outside meets no record twice in that way,
and blames none.
"""

from collections.abc import Sequence

from sagaline.chassis import positions
from sagaline.chassis.batch import Cursors, Raw, place_of
from sagaline.chassis.database import Database
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.parking import Poison

KILLER = "KilledProcess"  # error class of a record that was alone in hand at unclean ends


class Caution:
    """Hands batches to the inbox; of partitions that are suspected, a record at a time."""

    def __init__(self, inbox: Inbox, database: Database, *, attempts_max: int) -> None:
        self._inbox = inbox
        self._database = database
        self._attempts_max = attempts_max

    async def handle(self, batch: Sequence[Raw], cursors: Cursors) -> None:
        """As Inbox.handle. The suspicion ends with the batch."""
        suspects = cursors.suspects & {(raw.topic, raw.partition) for raw in batch}
        if not suspects:
            await self._inbox.handle(batch, cursors)
            return
        plain = [raw for raw in batch if (raw.topic, raw.partition) not in suspects]
        if plain:  # first: nothing in there was in hand at those ends
            await self._inbox.handle(plain, cursors)
        for raw in sorted(batch, key=place_of):
            if (raw.topic, raw.partition) in suspects:
                await self._alone(raw, cursors)
        cursors.suspects -= suspects

    async def _alone(self, raw: Raw, cursors: Cursors) -> None:
        place = place_of(raw)
        attempts = cursors.attempted.get(place)
        if attempts is None:  # else this process has lived through it, and waits for an outage
            epoch = cursors.epoch_of(raw)
            async with self._database.transaction() as tx:
                attempts = await positions.attempt(tx, *place, epoch=epoch)
            cursors.attempted[place] = attempts
        if attempts <= self._attempts_max:
            await self._inbox.handle([raw], cursors)
            return
        said = f"Alone in hand, it ended the process {attempts - 1} times."
        await self._inbox.park(Poison(raw, KILLER, said), cursors)
