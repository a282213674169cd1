"""A load's window, its latencies and its schedule."""

import asyncio
import time
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagaline.local.load.customers import Served
from sagaline.local.load.latencies import Latencies
from sagaline.local.load.open_loop import due
from sagaline.local.load.report import Report
from sagaline.local.load.window import Window
from sagaline.local.machine_cpu import MachineCpu

CONFIRMED = Served(UUID(int=1), "CONFIRMED", as_expected=True)


def latencies(*seconds: float) -> Latencies:
    found = Latencies()
    for each in seconds:
        found.add(each)
    return found


def report(orders: int, **others: int) -> Report:
    return Report(
        orders=orders,
        seconds=2.0,
        statuses={"CONFIRMED": orders},
        unexpected=others.pop("unexpected", 0),
        latencies=latencies(0.001),
        machine=MachineCpu(busy_s=1.0, steal_s=0.04),
        own_cpu_s=0.1,
        cpus=2,
        **others,
    )


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(min_value=1e-6, max_value=3_000.0), min_size=1, max_size=50))
def test_percentiles_are_latencies_that_were_measured_to_three_digits(seconds: list[float]) -> None:
    found = latencies(*seconds)
    given = [1000 * each for each in seconds]
    shown = [found.ms(percent) for percent in (1, 50, 95, 100)]
    assert shown == sorted(shown)
    assert shown[-1] == close(max(given))
    assert all(any(ms == close(each) for each in given) for ms in shown)


def close(ms: float) -> object:
    return pytest.approx(ms, rel=2e-3, abs=2e-3)


def test_of_no_latencies_all_figures_are_zero() -> None:
    assert set(latencies().figures().values()) == {0}


def test_rates_are_per_second_and_per_order_and_the_loads_own_share_stands_apart() -> None:
    figures = report(200).figures()
    assert figures["orders_per_s"] == 100.0
    assert figures["cpu_ms_per_order"] == 4.5
    assert figures["cpu_ms_per_order_of_load"] == 0.5
    assert figures["cpu_percent"] == 25.0
    assert figures["steal_percent"] == 1.0


def test_what_was_not_sent_or_did_not_end_is_a_problem() -> None:
    assert report(200).problems == []
    assert len(report(200, unsent=1, unfinished=2, unexpected=3).problems) == 3


def test_only_what_ends_in_the_window_counts() -> None:
    window = Window()
    window.ended(CONFIRMED, since_s=time.monotonic())
    window.open()
    window.ended(CONFIRMED, since_s=time.monotonic() - 1)
    window.close()
    window.ended(CONFIRMED, since_s=time.monotonic() - 1)
    assert (window.orders, len(window.latencies)) == (1, 1)
    assert window.latencies.ms(100) >= 999


def test_by_schedule_an_order_that_was_due_in_the_window_counts_whenever_it_ends() -> None:
    window = Window(by_schedule=True)
    window.open()
    due_s = time.monotonic()
    window.close()
    window.ended(CONFIRMED, since_s=due_s)
    assert (window.orders, len(window.latencies)) == (0, 1)


def test_what_ends_otherwise_than_expected_is_counted_at_any_time() -> None:
    window = Window()
    window.ended(Served(UUID(int=1), "REJECTED", as_expected=False), since_s=time.monotonic())
    assert window.unexpected == 1


async def test_a_schedule_that_fell_behind_leaves_nothing_out() -> None:
    moments: list[float] = []
    async for due_s in due(1_000.0, 0.05):
        if not moments:
            await asyncio.sleep(0.03)  # a stall of thirty orders
        moments.append(due_s)
    assert len(moments) == 50
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps == pytest.approx([0.001] * 49)


def test_idle_and_waiting_for_disks_are_not_spent_and_steal_stands_apart() -> None:
    before = MachineCpu.parse("cpu  100 0 50 1000 30 0 10 7 0 0\ncpu0 ...", ticks_per_s=100)
    after = MachineCpu.parse("cpu  200 10 80 9000 99 5 15 9 0 0\ncpu0 ...", ticks_per_s=100)
    spent = after - before
    assert round(spent.busy_s, 6) == 1.5
    assert round(spent.steal_s, 6) == 0.02
