"""Offsets are committed up to the first record whose answer waits, and no further."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sagaline.chassis.batch import Cursors
from sagaline.chassis.offsets import Offsets
from sagaline.chassis.positions import Partition, Position, Span

PARTITIONS: list[Partition] = [("a", 0), ("a", 1), ("b", 0)]


@dataclass
class Batch:
    """What one transaction took of each partition, and the outbox rows that it left."""

    ends: dict[Partition, int]
    rows: set[int] = field(default_factory=set)


class Consumer(RuleBasedStateMachine):
    """Batches, looks at the outbox and acks, in any order; a look may be held up in between."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets()
        self.batches: list[Batch] = []
        self.outbox: set[int] = set()
        self.last_id = 0
        self.position = dict.fromkeys(PARTITIONS, 0)
        self.kafka: dict[Partition, int] = {}
        self.look: tuple[int, int | None] | None = None
        self.due: dict[Partition, int] | None = None

    @rule(
        taken=st.dictionaries(st.sampled_from(PARTITIONS), st.integers(1, 9), min_size=1),
        rows=st.integers(0, 3),
        others=st.integers(0, 2),
    )
    def a_batch_commits(self, taken: dict[Partition, int], rows: int, others: int) -> None:
        self.last_id += others  # ids of transactions that are not ours, or were rolled back
        ids = set(range(self.last_id + 1, self.last_id + rows + 1))
        self.last_id += rows
        spans = []
        for partition, count in sorted(taken.items()):
            start = self.position[partition]
            self.position[partition] += count
            spans.append(Span(*partition, 1, start, self.position[partition]))
        self.outbox |= ids
        self.batches.append(Batch({p: self.position[p] for p in taken}, ids))
        self.offsets.handled(spans, max(ids, default=None))

    @rule(data=st.data())
    def rows_are_acked(self, data: st.DataObject) -> None:
        if self.outbox:
            acked = data.draw(st.sets(st.sampled_from(sorted(self.outbox))))
            self.outbox -= acked
            for batch in self.batches:
                batch.rows -= acked

    @rule()
    def a_look_begins(self) -> None:
        self.look = (self.offsets.newest, min(self.outbox, default=None))

    @precondition(lambda self: self.look is not None)
    @rule()
    def a_look_ends(self) -> None:
        assert self.look is not None
        newest, lowest = self.look
        self.look = None
        self.due = self.offsets.answered(lowest, newest=newest)

    @precondition(lambda self: self.due is not None)
    @rule(fails=st.booleans())
    def a_commit_ends(self, fails: bool) -> None:
        assert self.due is not None
        if not fails:
            self.kafka |= self.due
            self.offsets.committed(self.due)
        self.due = None

    @rule()
    def the_partitions_are_claimed_anew(self) -> None:
        self.offsets.clear()
        held = [Span(*p, 2, at, at) for p, at in sorted(self.position.items())]
        self.offsets.handled(held, max(self.outbox, default=None))

    @invariant()
    def no_offset_is_beyond_an_answer_that_waits(self) -> None:
        for partition, committed in self.kafka.items():
            for batch in self.batches:
                if partition in batch.ends and batch.rows:
                    assert committed < batch.ends[partition], (partition, committed)

    def teardown(self) -> None:
        """Once all is sent, all is committed."""
        self.offsets.committed(self.offsets.answered(None, newest=self.offsets.newest) or {})
        assert not self.offsets
        super().teardown()


TestConsumer = Consumer.TestCase
TestConsumer.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@given(st.integers(0, 50), st.integers(0, 50))
@settings(max_examples=50, deadline=None)
def test_a_batch_without_rows_is_answered_with_those_before_it(lowest: int, left: int) -> None:
    offsets = Offsets()
    offsets.handled([Span("a", 0, 1, 0, 5)], left)
    offsets.handled([Span("a", 0, 1, 5, 6)], None)
    due = offsets.answered(lowest, newest=offsets.newest)
    assert due == ({("a", 0): 6} if left < lowest else {})


def test_a_look_at_the_outbox_says_nothing_of_a_batch_that_commits_beside_it() -> None:
    offsets = Offsets()
    offsets.handled([Span("a", 0, 1, 0, 5)], None)
    before = offsets.newest
    offsets.handled([Span("a", 0, 1, 5, 6)], 70)
    assert offsets.answered(None, newest=before) == {("a", 0): 5}
    assert offsets.answered(70, newest=offsets.newest) == {("a", 0): 5}
    assert offsets.answered(71, newest=offsets.newest) == {("a", 0): 6}


def test_what_was_committed_to_kafka_is_due_no_more() -> None:
    offsets = Offsets()
    offsets.handled([Span("a", 0, 1, 0, 5), Span("a", 1, 1, 0, 3)], None)
    due = offsets.answered(None, newest=offsets.newest)
    offsets.handled([Span("a", 1, 1, 3, 4)], None)
    offsets.answered(None, newest=offsets.newest)  # a look beside the commit
    offsets.committed(due)
    assert offsets.answered(None, newest=offsets.newest) == {("a", 1): 4}


def test_a_batch_that_ends_after_its_partition_was_revoked_commits_no_offset() -> None:
    # The broker would refuse it, and with it, again and again, all that is committed beside it.
    offsets = Offsets()
    cursors = Cursors(passed=offsets.handled)
    cursors.set({("a", 0): Position(0, 1), ("a", 1): Position(0, 1)})
    spans = [Span("a", 0, 1, 0, 5), Span("a", 1, 1, 0, 5)]
    cursors.drop()
    cursors.set({("a", 1): Position(0, 1)})
    cursors.passed(spans, None)
    assert offsets.answered(None, newest=offsets.newest) == {("a", 1): 5}
