"""Latencies in a histogram."""

from hypothesis import given
from hypothesis import strategies as st

from sagaline.local.load.latencies import Latencies
from sagaline.local.load.tally import Tally


def test_nothing_has_no_figures() -> None:
    assert Latencies().figures() == {}
    assert (Latencies().ms(99), Latencies().longest_ms) == (0.0, 0.0)


@given(st.lists(st.floats(min_value=1e-6, max_value=3_600), min_size=1, max_size=200))
def test_percentiles_are_what_was_measured_to_three_digits(seconds: list[float]) -> None:
    latencies = Latencies()
    for each in seconds:
        latencies.add(each)
    ordered = sorted(seconds)
    assert latencies.count == len(seconds)
    assert abs(latencies.longest_ms - 1000 * ordered[-1]) <= ordered[-1] + 0.001
    figures = list(latencies.figures().values())
    assert figures == sorted(figures)


def test_a_hundred_latencies_and_their_percentiles() -> None:
    latencies = Latencies()
    for ms in range(1, 101):
        latencies.add(ms / 1000)
    assert [round(latencies.ms(p)) for p in (50, 90, 99, 99.9)] == [50, 90, 99, 100]


def test_what_can_not_be_told_counts_as_the_nearest_that_can() -> None:
    latencies = Latencies()
    for seconds in (-1.0, 0.0, 1e9):
        latencies.add(seconds)
    assert latencies.count == 3


async def test_only_what_ends_in_the_window_counts_but_each_surprise_is_told() -> None:
    tally = Tally()
    counted = tally.begin()
    tally.end("HTTP_503", expected="CONFIRMED", seconds=1.0, counted=counted)
    tally.counts = True
    counted = tally.begin()
    tally.end("CONFIRMED", expected="CONFIRMED", seconds=2.0, counted=counted)
    assert tally.latencies.count == 1
    assert dict(tally.unexpected) == {"HTTP_503 instead of CONFIRMED": 1}
    assert tally.second().count == 2
    assert tally.second().count == 0


def test_by_schedule_what_was_sent_in_the_window_counts_whenever_it_ends() -> None:
    tally = Tally(by_schedule=True)
    tally.counts = True
    counted = tally.begin()
    tally.counts = False
    tally.end("CONFIRMED", expected="CONFIRMED", seconds=30.0, counted=counted)
    assert tally.latencies.count == 1
    assert tally.latencies.ms(50) > 29_000
    assert tally.statuses.total() == 0, "it is no order of the window's throughput"
