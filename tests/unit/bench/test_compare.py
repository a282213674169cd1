"""Two results against each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compare import compare, difference
from tests.unit.bench.documents import document

RUNS = st.lists(st.floats(min_value=0.1, max_value=1e6), min_size=1, max_size=5)


def test_each_figure_that_both_have_is_compared_by_its_median() -> None:
    a = [document(orders_per_s=value, cpu_ms_per_order=9) for value in (90, 100, 110)]
    b = [document(orders_per_s=value) for value in (190, 200, 210)]
    assert compare(a, b) == [("in-flight-64", "orders_per_s", "100", "200", "2.00", "")]


@pytest.mark.parametrize(
    "before, after, noise",
    [
        ([100.0], [115.0], "within noise"),  # a single run: 10 % to both sides
        ([100.0], [130.0], ""),
        ([90.0, 100.0, 110.0], [108.0, 120.0], "within noise"),
        ([99.0, 100.0, 101.0], [102.0, 103.0], ""),
    ],
)
def test_noise_is_where_the_runs_ranges_overlap(
    before: list[float], after: list[float], noise: str
) -> None:
    assert difference(before, after)[3] == noise


@given(RUNS)
def test_a_result_differs_from_itself_by_nothing(runs: list[float]) -> None:
    assert difference(runs, runs)[2:] == ("1.00", "within noise")


@given(RUNS, RUNS)
def test_noise_is_noise_from_both_sides(a: list[float], b: list[float]) -> None:
    assert difference(a, b)[3] == difference(b, a)[3]
