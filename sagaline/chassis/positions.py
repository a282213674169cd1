"""Positions: how far this service has read each partition, in its own database.

See docs/architecture.md, "Positions". The row is the truth, and its epoch the fence: whoever claims
a partition raises the epoch, and a batch that was read under an older one can't commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sagaline.chassis.database import Transaction

Partition: TypeAlias = tuple[str, int]  # topic, partition


class Fenced(Exception):
    """A partition of the batch belongs to another process, or was claimed anew, by now."""


@dataclass(frozen=True, slots=True)
class Position:
    """What a claim found: read on from `next_offset`; advance only under `epoch`.

    `suspect`: here two holders in a row ended uncleanly, or a record that was alone in hand did it.
    """

    next_offset: int
    epoch: int
    suspect: bool = False


class Span(NamedTuple):
    """A contiguous run of one partition: from `expected` up to, not including, `next_offset`."""

    topic: str
    partition: int
    epoch: int
    expected: int
    next_offset: int


CLAIM = """
    INSERT INTO sagaline.positions (topic, partition, next_offset, epoch, owner)
    SELECT topic, partition, start, 1, $4
    FROM unnest($1::text[], $2::int[], $3::bigint[])
        AS given(topic, partition, start)
    ORDER BY topic, partition
    ON CONFLICT (topic, partition)
        DO UPDATE SET epoch = positions.epoch + 1, owner = excluded.owner,
            unclean_ends = CASE
                WHEN positions.owner IS NULL THEN 0
                WHEN positions.unclean_at = positions.next_offset THEN positions.unclean_ends + 1
                ELSE 1
            END,
            unclean_at = CASE WHEN positions.owner IS NOT NULL THEN positions.next_offset END,
            attempt_at = CASE WHEN positions.owner IS NOT NULL THEN positions.attempt_at END
    RETURNING topic, partition, next_offset, epoch,
        unclean_ends > 1 OR attempt_at IS NOT DISTINCT FROM next_offset AS suspect
"""

# Locks in key order, then writes: a plain UPDATE would lock in whatever order its plan visits.
ADVANCE = """
    WITH locked AS (
        SELECT held.topic, held.partition, given.next_offset
        FROM sagaline.positions AS held
        JOIN unnest($1::text[], $2::int[], $3::bigint[],
                    $4::bigint[], $5::bigint[])
            AS given(topic, partition, epoch, expected, next_offset)
            ON held.topic = given.topic AND held.partition = given.partition
        WHERE held.epoch = given.epoch AND held.next_offset = given.expected
        ORDER BY held.topic, held.partition
        FOR UPDATE OF held
    )
    UPDATE sagaline.positions AS held
    SET next_offset = locked.next_offset
    FROM locked
    WHERE held.topic = locked.topic AND held.partition = locked.partition
    RETURNING held.topic, held.partition, held.parked_keys
"""

# The same for one partition, as at low load most batches are: half of that statement's work.
ADVANCE_ONE = """
    UPDATE sagaline.positions SET next_offset = $5
    WHERE topic = $1 AND partition = $2 AND epoch = $3 AND next_offset = $4
    RETURNING topic, partition, parked_keys
"""

RELEASE = """
    UPDATE sagaline.positions AS held SET owner = NULL
    FROM unnest($1::text[], $2::int[], $3::bigint[])
        AS given(topic, partition, epoch)
    WHERE held.topic = given.topic AND held.partition = given.partition
        AND held.epoch = given.epoch
"""

ATTEMPT = """
    UPDATE sagaline.positions
    SET attempts = CASE WHEN attempt_at = $4 THEN attempts + 1 ELSE 1 END, attempt_at = $4
    WHERE topic = $1 AND partition = $2 AND epoch = $3
    RETURNING attempts
"""

SURVIVE = """
    UPDATE sagaline.positions SET attempts = attempts - 1
    WHERE topic = $1 AND partition = $2 AND epoch = $3 AND attempt_at = $4 AND attempts > 0
"""

LOCK = "SELECT FROM sagaline.positions WHERE topic = $1 AND partition = $2 FOR UPDATE"

COUNT_PARKED_KEYS = """
    UPDATE sagaline.positions AS held SET parked_keys = held.parked_keys + given.more
    FROM unnest($1::text[], $2::int[], $3::int[])
        AS given(topic, partition, more)
    WHERE held.topic = given.topic AND held.partition = given.partition
"""


async def claim(
    tx: Transaction, starts: Mapping[Partition, int], *, owner: str
) -> dict[Partition, Position]:
    """Every partition of `starts` is this owner's; one never seen before begins at its start."""
    given = sorted(starts)
    rows = await tx.fetch(CLAIM, *_columns(given), [starts[each] for each in given], owner)
    return {
        (row["topic"], row["partition"]): Position(row["next_offset"], row["epoch"], row["suspect"])
        for row in rows
    }


async def advance(tx: Transaction, spans: Sequence[Span]) -> dict[Partition, int]:
    """All spans are taken, their rows locked until `tx` ends: parked keys by partition.

    Raises Fenced when one of them is not ours any more; nothing is taken then.
    """
    if len(spans) == 1:
        rows = await tx.fetch(ADVANCE_ONE, *spans[0])
    else:
        rows = await tx.fetch(ADVANCE, *zip(*spans, strict=True))
    parked_keys = {(topic, partition): parked for topic, partition, parked in rows}
    if len(parked_keys) != len(spans):
        raise Fenced(sorted({(span.topic, span.partition) for span in spans} - set(parked_keys)))
    return parked_keys


async def attempt(tx: Transaction, topic: str, partition: int, offset: int, *, epoch: int) -> int:
    """The record there is going to be tried alone: how often it is, since a clean end.

    Raises Fenced when the partition is not ours any more.
    """
    rows = await tx.fetch(ATTEMPT, topic, partition, epoch, offset)
    if not rows:
        raise Fenced([(topic, partition)])
    attempts: int = rows[0]["attempts"]
    return attempts


async def survive(tx: Transaction, topic: str, partition: int, offset: int, *, epoch: int) -> None:
    """The last attempt at the record there has not ended the process, and doesn't count."""
    await tx.run(SURVIVE, topic, partition, epoch, offset)


async def lock(tx: Transaction, partition: Partition) -> None:
    """No batch of this partition passes, and nobody else locks it, until `tx` ends."""
    await tx.fetch(LOCK, *partition)


async def count_parked_keys(tx: Transaction, more: Mapping[Partition, int]) -> None:
    """Add to the count of parked keys; the rows are locked by `advance` or `lock` already."""
    await tx.run(COUNT_PARKED_KEYS, *_columns(more), list(more.values()))


async def release(tx: Transaction, epochs: Mapping[Partition, int]) -> None:
    """These partitions have no owner: the next claim sees that they were left cleanly."""
    given = sorted(epochs)
    await tx.run(RELEASE, *_columns(given), [epochs[each] for each in given])


def _columns(partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
    given = list(partitions)
    return [topic for topic, _ in given], [number for _, number in given]
