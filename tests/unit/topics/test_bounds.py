"""Where a range begins or ends, as people write it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagaline.chassis.log_records import Span
from sagaline.local.topics.bounds import At, BadBound, clipped, parse

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("120", At(120)),
        ("0", At(0)),
        ("3:120", At(120, partition=3)),
        ("90s", NOW - timedelta(seconds=90)),
        ("10m", NOW - timedelta(minutes=10)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-11-22T09:00:00Z", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("2026-11-22T09:00:00.250", datetime(2026, 11, 22, 9, 0, 0, 250_000, UTC)),
        ("2026-11-22 10:00+01:00", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_a_bound_is_an_offset_a_time_or_how_long_ago(text: str, meaning: object) -> None:
    assert parse(text, now=NOW) == meaning


@pytest.mark.parametrize(
    "text",
    ["", "-1", "3:", ":120", "3:120:1", "10 m", "10M", "10w", "yesterday", "12:30h", "\u0663"],
)
def test_what_is_no_bound_is_refused_saying_how_one_is_written(text: str) -> None:
    with pytest.raises(BadBound, match="3:120 for partition 3"):
        parse(text, now=NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_bound_in_utc_or_refused(text: str) -> None:
    try:
        bound = parse(text, now=NOW)
    except BadBound:
        return
    assert isinstance(bound, At) or bound.tzinfo is UTC


@given(st.integers(0, 10**18 - 1), st.none() | st.integers(0, 10**9 - 1))
def test_every_offset_reads_back_as_it_was_written(offset: int, partition: int | None) -> None:
    text = str(offset) if partition is None else f"{partition}:{offset}"
    assert parse(text, now=NOW) == At(offset, partition)


OFFSETS = st.integers(0, 100)


@given(
    begin=OFFSETS,
    size=OFFSETS,
    first=st.none() | OFFSETS,
    until=st.none() | OFFSETS,
    asked=OFFSETS,
)
def test_a_range_has_the_offsets_of_the_log_that_lie_between_its_bounds(
    begin: int, size: int, first: int | None, until: int | None, asked: int
) -> None:
    span = clipped(Span(begin, begin + size), first, until)
    wanted = (
        begin <= asked < begin + size
        and (first is None or asked >= first)
        and (until is None or asked < until)
    )
    assert (span.first <= asked < span.until) == wanted
    assert begin <= span.first <= span.until
