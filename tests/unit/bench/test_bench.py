"""Floors, growth, comparison and chart of measured loads."""

import xml.etree.ElementTree as ET

import pytest

from bench.chart import PANELS, chart
from bench.compare import rows, verdict
from bench.measure import growth
from bench.results import figure, values
from bench.rows import ROWS, Floor
from sagaline.local.load.course import Moment
from sagaline.local.process_usage import Usage


def moment(at_s: float, *, lag: int = 0, age_s: float = 0.0, memory_mib: int = 100) -> Moment:
    return Moment(
        at_s=at_s,
        counted=True,
        orders_per_s=10.0,
        p50_ms=1.0,
        p99_ms=2.0,
        sagas_ended=0,
        lag_records=lag,
        outbox_rows=0,
        outbox_oldest_s=age_s,
        usage={"Kafka": Usage(1.0, memory_mib)},
    )


def result(row: str, rate: float) -> dict[str, object]:
    return {"row": row, "orders_per_s": rate, "reads": {"p95_ms": 7.0}, "problems": []}


def test_a_floor_bounds_from_below_or_from_above() -> None:
    assert Floor("x", least=600).reached(600)
    assert not Floor("x", least=600).reached(599.9)
    assert Floor("x", most=2.6).reached(2.6)
    assert not Floor("x", most=2.6).reached(2.7)
    assert [str(Floor("x", least=600)), str(Floor("x", most=2.6))] == [">= 600", "<= 2.6"]


def test_every_row_can_be_made_shorter_and_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        short = row.lasting(1.0)
        assert short.idle_s == 10.0
        assert short.plan is None or short.plan.seconds == 10.0


def test_growth_compares_the_last_minute_of_five_with_the_second() -> None:
    course = [
        moment(n, lag=10 if n < 80 else 30, age_s=1.0, memory_mib=100 + n) for n in range(100)
    ]
    found = growth(course)
    assert (found["lag"], found["outbox_age"]) == (3.0, 1.0)
    assert found["memory_percent"] == pytest.approx(100 * (189.5 / 129.5 - 1), abs=0.1)


def test_nothing_that_waits_has_not_grown() -> None:
    assert growth([moment(n) for n in range(100)])["lag"] == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([10.0, 12.0], [13.0, 14.0], "more"),
        ([10.0, 12.0], [7.0, 9.0], "less"),
        ([10.0, 12.0], [11.0, 20.0], "noise"),
        ([10.0], [20.0, 21.0], "single run"),
    ],
)
def test_runs_that_overlap_differ_by_noise(
    before: list[float], after: list[float], said: str
) -> None:
    assert verdict(before, after) == said


def test_only_what_both_sides_have_is_compared() -> None:
    before = [result("alone", 7.0), result("alone", 8.0), result("idle", 1.0)]
    after = [result("alone", 14.0), result("alone", 16.0)]
    assert rows(before, after) == [
        ("alone", "orders_per_s", "7.5", "15", "2.00", "more"),
        ("alone", "reads.p95_ms", "7", "7", "1.00", "noise"),
    ]


def test_a_figure_that_one_run_lacks_is_no_figure_of_the_runs() -> None:
    assert figure(result("alone", 7.0), "reads.p95_ms") == 7.0
    assert figure(result("alone", 7.0), "reads.p99_ms") is None
    assert values([result("alone", 7.0), {"row": "alone"}], "orders_per_s") == []


def test_a_chart_has_a_panel_for_throughput_latency_and_lag() -> None:
    course = [{"at_s": n, "orders_per_s": 1, "p50_ms": 1, "p99_ms": 2} for n in range(5)]
    found = {"row": "alone", "at": "2026-12-03", "revision": "0123456789"}
    drawn = chart(
        found | {"course": [each | {"lag_records": 0, "outbox_rows": 3} for each in course]}
    )
    panels = ET.fromstring(drawn).findall("{http://www.w3.org/2000/svg}g")  # noqa: S314 - ours
    lines = [len(each.findall("{http://www.w3.org/2000/svg}polyline")) for each in panels]
    assert lines == [1 + len(each) for each in PANELS.values()], "its axes, and a line a figure"


def test_a_chart_of_a_load_that_nobody_looked_at_is_empty() -> None:
    ET.fromstring(chart({"row": "x<y", "at": "", "revision": "", "course": []}))  # noqa: S314 - ours
