"""Batches: what was fetched and waits, and the next batch to handle in one transaction.

A batch takes a contiguous prefix of each partition's waiting records. On a command topic it ends,
in a partition, before the first record whose key it already holds; an exact duplicate is taken
along and folded, so that a command handler meets each key once.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from sagaline.chassis.envelope import KEY_CHARACTERS_MAX, Record
from sagaline.chassis.positions import Fenced, Partition, Position, Span


class Raw(NamedTuple):
    """A record as it was fetched, nothing of it decoded."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None


NOWHERE: Final[Mapping[Partition, int]] = MappingProxyType({})

Place: TypeAlias = tuple[str, int, int]  # topic, partition, offset


def place_of(record: Raw | Record) -> Place:
    """Where a record stands."""
    return (record.topic, record.partition, record.offset)


def key_of(raw: Raw) -> str:
    """The record's key as text that can be shown and indexed, of at most KEY_CHARACTERS_MAX.

    Bytes that are no UTF-8 are escaped, and of a longer key a digest of the whole ends the text.
    What a key was shown as is shown unchanged.
    """
    text = (raw.key or b"").decode(errors="backslashreplace").replace("\0", "\\x00")
    if len(text) <= KEY_CHARACTERS_MAX:
        return text
    digest = sha256(raw.key or b"").hexdigest()
    return f"{text[: KEY_CHARACTERS_MAX - len(digest) - 1]}~{digest}"


def header(raw: Raw, name: str) -> str | None:
    """One of the record's headers as text; bytes that are no UTF-8 are replaced."""
    value = header_bytes(raw, name)
    return None if value is None else value.decode(errors="replace")


def header_bytes(raw: Raw, name: str) -> bytes | None:
    """One of the record's headers as it stands there."""
    for found, value in raw.headers:
        if found == name:
            return value
    return None


class Waiting:
    """Fetched records by partition, in offset order, bounded by whoever feeds it.

    `holds` says of a record that it can't be handled yet; nothing overtakes it in its partition.
    """

    def __init__(
        self, command_topics: Collection[str], holds: Callable[[Raw], bool] = lambda _: False
    ) -> None:
        self._command_topics = frozenset(command_topics)
        self._holds = holds
        self.held: set[Partition] = set()  # whose next record could not be handled yet, when seen
        self._queues: dict[Partition, deque[Raw]] = {}

    def __len__(self) -> int:
        """How many wait for nothing but their turn."""
        return sum(len(queue) for each, queue in self._queues.items() if each not in self.held)

    def add(self, partition: Partition, records: Iterable[Raw]) -> None:
        """Append records that were fetched."""
        self._queues.setdefault(partition, deque()).extend(records)

    def drop(self) -> None:
        """Forget all that waits."""
        self._queues.clear()
        self.held.clear()

    def take(self, rows_max: int) -> list[Raw]:
        """The next batch: at most `rows_max` records, and of every partition that waits some."""
        batch: list[Raw] = []
        self.held.clear()
        busy = [partition for partition, queue in self._queues.items() if queue]
        for index, partition in enumerate(sorted(busy)):
            share = -(-(rows_max - len(batch)) // (len(busy) - index))
            batch.extend(self._prefix(partition, share))
        return batch

    def _prefix(self, partition: Partition, rows_max: int) -> list[Raw]:
        queue = self._queues[partition]
        one_a_key = partition[0] in self._command_topics
        taken: list[Raw] = []
        held: dict[bytes | None, bytes | None] = {}
        while queue and len(taken) < rows_max:
            raw = queue[0]
            if self._holds(raw):
                self.held.add(partition)
                break
            if one_a_key:
                said = header_bytes(raw, "ce_id")
                if held.setdefault(raw.key, said) != said:
                    break
            taken.append(queue.popleft())
        return taken


class Cursors:
    """Where this process stands in the partitions it holds, and under which epochs.

    `passed` is told of each commit: its spans that are held still, and the highest outbox id that
    it left, if any.
    """

    def __init__(self, passed: Callable[[list[Span], int | None], None]) -> None:
        self._passed = passed
        self.expected: dict[Partition, int] = {}
        self.epochs: dict[Partition, int] = {}
        self.ahead: set[Place] = set()  # committed, before what stands in front of them
        self.leaving = False  # the partitions are about to be given back: begin no call
        self.suspects: set[Partition] = set()  # where records may be killing processes

    def set(self, claimed: Mapping[Partition, Position]) -> None:
        """Hold these partitions, from the position that their claim found."""
        for partition, position in claimed.items():
            self.expected[partition] = position.next_offset
            self.epochs[partition] = position.epoch
        self.suspects = {each for each, position in claimed.items() if position.suspect}

    def drop(self) -> None:
        """Hold nothing any more."""
        self.expected.clear()
        self.epochs.clear()
        self.ahead.clear()
        self.leaving = False
        self.suspects.clear()

    def epoch_of(self, raw: Raw) -> int:
        """Under which epoch the record's partition is held. Raises Fenced if it is not."""
        epoch = self.epochs.get((raw.topic, raw.partition))
        if epoch is None:
            raise Fenced([(raw.topic, raw.partition)])
        return epoch

    def spans(self, batch: Sequence[Raw], before: Mapping[Partition, int] = NOWHERE) -> list[Span]:
        """What a batch takes of each partition, in (topic, partition) order, `before` an offset.

        The start is what was expected, not the first record's offset: gaps in a log are normal.
        Raises Fenced when a partition is not held any more.
        """
        ends: dict[Partition, int] = {}
        for raw in batch:
            ends[raw.topic, raw.partition] = raw.offset + 1
        if unheld := ends.keys() - self.epochs.keys():
            raise Fenced(sorted(unheld))
        return [
            Span(*each, self.epochs[each], self.expected[each], min(end, before.get(each, end)))
            for each, end in sorted(ends.items())
        ]

    def held(self) -> list[Span]:
        """All partitions that are held, as spans that take nothing."""
        return [
            Span(*partition, self.epochs[partition], position, position)
            for partition, position in sorted(self.expected.items())
        ]

    def passed(self, spans: list[Span], outbox_id: int | None) -> None:
        """These are committed, and left outbox rows up to this id."""
        # Others were released in the meantime: their offsets are not ours to commit any more.
        held = [span for span in spans if (span.topic, span.partition) in self.expected]
        for span in held:
            self.expected[span.topic, span.partition] = span.next_offset
        if self.ahead:
            self.ahead = {each for each in self.ahead if each[2] >= self.expected[each[:2]]}
        self._passed(held, outbox_id)

    def overtook(self, batch: Iterable[Raw]) -> None:
        """These are committed, too, where the positions have not passed them yet."""
        self.ahead |= {
            place_of(raw)
            for raw in batch
            if raw.offset >= self.expected.get((raw.topic, raw.partition), raw.offset + 1)
        }

    def left_of(self, batch: Iterable[Raw]) -> list[Raw]:
        """What is not committed yet of a batch that was handled in part, and is still held."""
        return [
            raw
            for raw in batch
            if raw.offset >= self.expected.get((raw.topic, raw.partition), raw.offset + 1)
        ]


def halves(batch: Sequence[Raw]) -> tuple[list[Raw], list[Raw]]:
    """The batch bisected by (topic, partition, offset): each half is a prefix of what is left."""
    ordered = sorted(batch, key=lambda raw: (raw.topic, raw.partition, raw.offset))
    middle = len(ordered) // 2
    return ordered[:middle], ordered[middle:]
