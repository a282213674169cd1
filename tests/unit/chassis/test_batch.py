"""Batches are prefixes: nothing is lost, doubled or passed over, and a command's key comes once."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagaline.chassis.batch import Cursors, Raw, Waiting, halves, key_of
from sagaline.chassis.envelope import KEY_CHARACTERS_MAX
from sagaline.chassis.positions import Fenced, Partition, Position

COMMANDS, RECORDS = "commands", "records"


def raw(topic: str, partition: int, offset: int, key: bytes | None, event: bytes | None) -> Raw:
    headers = () if event is None else (("ce_id", event),)
    return Raw(topic, partition, offset, key, headers, b"")


@st.composite
def logs(draw: st.DrawFn) -> dict[Partition, list[Raw]]:
    """What waits, by partition: offsets with gaps, few keys, few event ids."""
    found: dict[Partition, list[Raw]] = {}
    for topic in (COMMANDS, RECORDS):
        for partition in range(2):
            offset = 0
            log = found[topic, partition] = []
            for _ in range(draw(st.integers(0, 12))):
                offset += draw(st.integers(1, 3))
                key = draw(st.sampled_from([b"a", b"b", b"c", None]))
                event = draw(st.sampled_from([b"1", b"2", None]))
                log.append(raw(topic, partition, offset, key, event))
    return found


@given(logs(), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_batches_take_all_that_waits_in_order_and_in_bounds(
    waits: dict[Partition, list[Raw]], rows_max: int
) -> None:
    waiting = Waiting([COMMANDS])
    for partition, log in waits.items():
        waiting.add(partition, log)
    taken: dict[Partition, list[Raw]] = defaultdict(list)
    while len(waiting):
        batch = waiting.take(rows_max)
        assert 0 < len(batch) <= rows_max
        events: dict[tuple[str, int, bytes | None], set[bytes | None]] = defaultdict(set)
        for each in batch:
            taken[each.topic, each.partition].append(each)
            events[each.topic, each.partition, each.key].add(dict(each.headers).get("ce_id"))
        for (topic, _, _), ids in events.items():
            assert topic == RECORDS or len(ids) == 1  # else only exact duplicates
    assert taken == {partition: log for partition, log in waits.items() if log}
    assert waiting.take(rows_max) == []


@given(logs(), st.integers(4, 20))
@settings(max_examples=50, deadline=None)
def test_no_partition_starves(waits: dict[Partition, list[Raw]], rows_max: int) -> None:
    waiting = Waiting([COMMANDS])
    for partition, log in waits.items():
        waiting.add(partition, log)
    busy = {partition for partition, log in waits.items() if log}
    assert {(each.topic, each.partition) for each in waiting.take(rows_max)} == busy


@given(logs(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_bisected_batch_commits_contiguous_prefixes(
    waits: dict[Partition, list[Raw]], data: st.DataObject
) -> None:
    batch = [each for log in waits.values() for each in log]
    passed: list[int] = []
    cursors = Cursors(passed=lambda spans, _: passed.append(len(spans)))
    cursors.set({partition: Position(0, 1) for partition in waits})
    ends: dict[Partition, int] = dict.fromkeys(waits, 0)

    def commit(part: list[Raw]) -> None:
        if len(part) > 1 and data.draw(st.booleans()):
            for half in halves(part):
                commit(half)
            return
        spans = cursors.spans(part)
        for span in spans:
            assert span.expected == ends[span.topic, span.partition]
            ends[span.topic, span.partition] = span.next_offset
        cursors.passed(spans, None)

    if batch:
        commit(batch)
    assert ends == {p: log[-1].offset + 1 if log else 0 for p, log in waits.items()}
    assert cursors.left_of(batch) == []


@given(logs(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_what_is_left_of_a_batch_is_what_no_commit_has_passed(
    waits: dict[Partition, list[Raw]], position: int
) -> None:
    cursors = Cursors(passed=lambda *_: None)
    cursors.set({(COMMANDS, 0): Position(position, 1)})
    batch = [each for log in waits.values() for each in log]
    left = cursors.left_of(batch)
    assert left == [e for e in waits[COMMANDS, 0] if e.offset >= position]


def test_a_partition_that_is_not_held_is_fenced() -> None:
    cursors = Cursors(passed=lambda *_: None)
    cursors.set({(COMMANDS, 0): Position(0, 1)})
    with pytest.raises(Fenced):
        cursors.spans([raw(COMMANDS, 0, 0, b"a", b"1"), raw(COMMANDS, 1, 0, b"a", b"1")])


@given(st.none() | st.binary(max_size=12))
@settings(deadline=None)
def test_every_key_can_be_stored(key: bytes | None) -> None:
    shown = key_of(raw(COMMANDS, 0, 0, key, None))
    assert "\0" not in shown
    assert shown.encode().decode() == shown


@given(
    st.sampled_from(["a", "\u00e9", "\U0001f600", "\0"]), st.integers(KEY_CHARACTERS_MAX + 1, 3_000)
)
@settings(max_examples=20, deadline=None)
def test_a_long_key_is_shown_as_a_text_of_its_own_that_stays_as_it_is(
    letter: str, length: int
) -> None:
    shown, longer = (
        key_of(raw(COMMANDS, 0, 0, (letter * each).encode(), None)) for each in (length, length + 1)
    )
    assert len(shown) == len(longer) == KEY_CHARACTERS_MAX
    assert shown != longer
    assert key_of(raw(COMMANDS, 0, 0, shown.encode(), None)) == shown  # as parked rows come back


@given(st.sampled_from(["a", "\u00e9", "\U0001f600"]), st.integers(0, KEY_CHARACTERS_MAX))
@settings(deadline=None)
def test_a_key_of_usual_length_is_shown_as_it_is(letter: str, length: int) -> None:
    assert key_of(raw(COMMANDS, 0, 0, (letter * length).encode(), None)) == letter * length
