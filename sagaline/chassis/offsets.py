"""Kafka offsets that say "answered": committed only when what a record caused has left the outbox.

Lag tools read them, and so do the orchestrator's timers, which never outrun a message that waits.
The truth about what was read are the positions in the database.
"""

from collections import deque
from dataclasses import dataclass

from sagaline.chassis.database import Transaction
from sagaline.chassis.positions import Partition, Span

LOWEST = "SELECT min(id) FROM sagaline.outbox WHERE quarantined_at IS NULL"
HIGHEST = "SELECT max(id) FROM sagaline.outbox"


@dataclass(frozen=True, slots=True)
class Handled:
    """A partition was handled up to `next_offset`, and left outbox rows up to `outbox_id`."""

    partition: Partition
    next_offset: int
    outbox_id: int
    number: int  # in the order of handling


class Offsets:
    """What was handled and is not yet known to be answered, in order."""

    def __init__(self) -> None:
        self._handled: deque[Handled] = deque()
        self._outbox_id = 0
        self.newest = 0  # number of what was handled last
        self._ready: dict[Partition, int] = {}

    def __bool__(self) -> bool:
        return bool(self._handled or self._ready)

    def clear(self) -> None:
        """Forget all: the partitions belong to somebody else."""
        self._handled.clear()
        self._ready.clear()

    def handled(self, spans: list[Span], outbox_id: int | None) -> None:
        """A batch was committed. One that left no row is answered when those before it are."""
        self._outbox_id = max(self._outbox_id, outbox_id or 0)
        for span in spans:
            partition = (span.topic, span.partition)
            self.newest += 1
            self._handled.append(Handled(partition, span.next_offset, self._outbox_id, self.newest))

    def answered(self, lowest_outbox_id: int | None, *, newest: int) -> dict[Partition, int]:
        """Offsets to commit, given the lowest id that waits; they stay due until `committed`.

        `newest` is from before the look at the outbox: a batch that committed in the meantime may
        have left rows that the look missed.
        """
        while (
            self._handled
            and self._handled[0].number <= newest
            and (lowest_outbox_id is None or self._handled[0].outbox_id < lowest_outbox_id)
        ):
            handled = self._handled.popleft()
            self._ready[handled.partition] = handled.next_offset
        return dict(self._ready)

    def committed(self, offsets: dict[Partition, int]) -> None:
        """The broker took these."""
        for partition, offset in offsets.items():
            if self._ready.get(partition) == offset:
                del self._ready[partition]


async def lowest_waiting(tx: Transaction) -> int | None:
    """The lowest outbox id that is still to be published; None when the outbox is empty."""
    lowest: int | None = (await tx.fetch(LOWEST))[0][0]
    return lowest


async def highest_waiting(tx: Transaction) -> int | None:
    """The highest outbox id that waits now; None when the outbox is empty."""
    highest: int | None = (await tx.fetch(HIGHEST))[0][0]
    return highest
