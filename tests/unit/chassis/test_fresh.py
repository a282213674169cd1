"""What a process remembers of the outbox rows that it has just committed."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from sagaline.chassis.envelope import Encoded
from sagaline.chassis.fresh import Fresh

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def said(value: bytes | None, message_id: UUID | None = None) -> Encoded:
    return Encoded("topic", "key", "type", message_id or uuid4(), {"ce_type": "type"}, value)


def kept(*messages: Encoded, bytes_max: int = 1_000_000) -> Fresh:
    """A memory of these, under the ids 1, 2, .."""
    fresh = Fresh(bytes_max=bytes_max)
    fresh.open()
    fresh.keep(range(1, len(messages) + 1), messages, NOW)
    return fresh


def test_a_row_is_given_once_as_it_was_written() -> None:
    message = said(b"value")
    fresh = kept(message)
    row = fresh.take(1, message.id)
    assert row is not None
    assert (row.id, row.topic, row.key, row.payload) == (1, "topic", "key", b"value")
    assert row.created_at == NOW
    assert fresh.take(1, message.id) is None


def test_an_id_that_another_message_has_now_is_not_ours() -> None:
    fresh = kept(said(b"ours"))
    assert fresh.take(1, uuid4()) is None


def test_nothing_is_kept_by_a_process_that_has_no_lane() -> None:
    message = said(b"value")
    fresh = Fresh()
    fresh.keep([1], [message], NOW)
    assert fresh.take(1, message.id) is None


def test_what_was_kept_is_forgotten_with_the_lane() -> None:
    message = said(b"value")
    fresh = kept(message)
    fresh.close()
    fresh.open()
    assert fresh.take(1, message.id) is None


@given(sizes=st.lists(st.integers(0, 2_000), max_size=30), bytes_max=st.integers(0, 10_000))
def test_the_newest_are_kept_up_to_the_bound(sizes: list[int], bytes_max: int) -> None:
    messages = [said(b"x" * size) for size in sizes]
    fresh = kept(*messages, bytes_max=bytes_max)
    found = [fresh.take(n, message.id) for n, message in enumerate(messages, start=1)]
    there = [row is not None for row in found]
    assert there == sorted(there)  # what is gone is what came first
    assert sum(size + 512 for size, is_there in zip(sizes, there, strict=True) if is_there) <= (
        bytes_max
    )
