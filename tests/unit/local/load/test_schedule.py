"""When requests of an open loop are due."""

from hypothesis import given
from hypothesis import strategies as st

from sagaline.local.load.schedule import Schedule

RATES = st.floats(min_value=0.1, max_value=10_000)


def test_the_first_is_due_at_once_and_the_next_a_period_later() -> None:
    schedule = Schedule(4.0)
    assert [schedule.due_by(at_s) for at_s in (0.0, 0.24, 0.25, 1.0)] == [1, 1, 2, 5]


@given(RATES, st.floats(min_value=0, max_value=3_600))
def test_those_that_are_due_by_a_time_are_exactly_those_not_due_later(
    rate: float, at_s: float
) -> None:
    schedule = Schedule(rate)
    due = schedule.due_by(at_s)
    assert schedule.due_s(due - 1) <= at_s < schedule.due_s(due)


@given(RATES, st.lists(st.floats(min_value=0, max_value=100), min_size=1, max_size=50))
def test_whenever_it_is_looked_at_no_request_is_due_twice_or_never(
    rate: float, looks: list[float]
) -> None:
    schedule = Schedule(rate)
    counts = [schedule.due_by(at_s) for at_s in sorted(looks)]
    assert counts == sorted(counts)
    assert counts[-1] == schedule.due_by(max(looks))
