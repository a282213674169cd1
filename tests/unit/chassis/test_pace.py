import asyncio

from hypothesis import given
from hypothesis import strategies as st

from sagaline.chassis.pace import Pace


class Clock:
    """A clock that the test moves, in seconds."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def rest_after(work_s: float, *, then_s: float, rest_max_ms: int, records: int = 2) -> float:
    """How long the pace still rests, `then_s` after work that took `work_s`."""
    clock = Clock()
    pace = Pace(rest_max_ms=rest_max_ms, clock_s=clock)
    pace.began()
    clock.now_s += work_s
    pace.ended(records)
    clock.now_s += then_s
    return pace.left_s


def test_it_rests_as_long_as_it_worked() -> None:
    assert round(rest_after(0.010, then_s=0.0, rest_max_ms=50), 6) == 0.010
    assert round(rest_after(0.010, then_s=0.004, rest_max_ms=50), 6) == 0.006


def test_who_comes_after_the_rest_does_not_wait() -> None:
    assert rest_after(0.010, then_s=0.020, rest_max_ms=50) <= 0


def test_a_record_that_came_alone_is_not_rested_for() -> None:
    assert rest_after(0.010, then_s=0.0, rest_max_ms=50, records=1) <= 0


def test_the_first_work_is_not_rested_for() -> None:
    assert Pace(rest_max_ms=50, clock_s=Clock()).left_s <= 0


@given(work_s=st.floats(0, 10), then_s=st.floats(0, 10), rest_max_ms=st.integers(0, 1_000))
def test_no_rest_is_longer_than_its_bound(work_s: float, then_s: float, rest_max_ms: int) -> None:
    left_s = rest_after(work_s, then_s=then_s, rest_max_ms=rest_max_ms)
    assert left_s <= min(work_s, rest_max_ms / 1000) + 1e-6


async def test_a_rest_that_is_over_gives_way_to_nobody() -> None:
    pace = Pace(rest_max_ms=0, clock_s=Clock())
    pace.began()
    pace.ended(2)
    async with asyncio.timeout(20):
        await pace.rest()
