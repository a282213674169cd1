"""Rows, floors and what is printed of them."""

from bench import steady, table
from bench.floor import at_least, at_most, figure
from bench.rows import ROWS, Row, Streams
from sagaline.local.load.plan import Plan
from tests.unit.bench.documents import document

ROW = Row("in-flight-64", Plan(seconds=1.0), (at_least("orders_per_s", 150),), ("reads.p50_ms",))


def test_floors_are_judged_by_the_median() -> None:
    runs = [document(orders_per_s=value) for value in (100, 160, 170)]
    assert table.lines(ROW, runs)[0] == (
        "in-flight-64",
        "orders_per_s",
        "100 / 160 / 170",
        ">= 150",
        "reached",
    )
    assert table.lines(ROW, runs[:1])[0][-1] == "MISSED"
    assert table.lines(ROW, runs)[1][-1] == "not measured"


def test_a_rate_that_was_not_kept_up_and_stolen_time_are_told() -> None:
    run = document(orders_per_s=1, rate_kept=False, steal_is_high=True)
    assert [row[1] for row in table.lines(ROW, [run])[3:]] == [
        "THE RATE WAS NOT KEPT UP in 1 of 1 runs",
        "more than 5 % stolen in 1 of 1 runs",
    ]
    assert "NOT KEPT UP" in table.text(table.lines(ROW, [run]))


def test_figures_are_found_by_their_paths() -> None:
    figures = {"a": 1, "latency": {"p50_ms": 2.5, "p99.9_ms": 3}, "none": None}
    found = [figure(figures, path) for path in ("a", "latency.p50_ms", "latency.p99.9_ms")]
    assert found == [1.0, 2.5, 3.0]
    assert [figure(figures, path) for path in ("none", "b", "a.b", "latency")] == [None] * 4


def test_each_row_has_a_name_of_its_own_and_can_be_shortened() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        what = row.shortened(3.0).what
        assert isinstance(what, Plan | Streams)
        assert what.seconds == 3.0
    assert at_most("x", 1).reached(1)


def test_pace_is_what_waits_late_against_early() -> None:
    ratios = steady.figures(document()["series"])
    assert ratios == {"lag_ratio": round(1950 / 750, 3), "outbox_oldest_ratio": 1.0}
    assert steady.figures(document()["series"][:5]) == {}
