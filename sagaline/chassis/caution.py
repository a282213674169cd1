"""Caution: a record that kills the process is found by having it alone in hand.

See docs/architecture.md, "Parking". A process that was killed says nothing of its batch. So only
the place is suspected where two of them ended; there each record is tried by itself, and that it is
tried is committed first. Whoever stops processes from outside meets no record twice in that way,
and blames none.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from sagaline.chassis import positions
from sagaline.chassis.batch import Cursors, Raw, place_of
from sagaline.chassis.database import Database
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.parking import Poison

KILLER: Final = "KilledProcess"  # error class of a record alone in hand at unclean ends
SURVIVED_S: Final = 1.0


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
        epoch = cursors.epoch_of(raw)
        async with self._database.transaction() as tx:
            attempts = await positions.attempt(tx, *place_of(raw), epoch=epoch)
        if attempts > self._attempts_max:
            said = f"Alone in hand, it ended the process {attempts - 1} times."
            await self._inbox.park(Poison(raw, KILLER, said), cursors)
            return
        try:
            await self._inbox.handle([raw], cursors)
        except BaseException:
            await asyncio.shield(self._survived(raw, epoch))  # cancelled, too: an outage, a stop
            raise

    async def _survived(self, raw: Raw, epoch: int) -> None:
        """Take the attempt back, if the database can be asked; else it counts."""
        with suppress(Exception):
            async with asyncio.timeout(SURVIVED_S), self._database.transaction() as tx:
                await positions.survive(tx, *place_of(raw), epoch=epoch)
