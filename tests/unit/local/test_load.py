"""The figures of a load, and the machine's processor time behind them."""

from sagaline.local.load import Report
from sagaline.local.machine_cpu import MachineCpu


def report(latencies_ms: list[float]) -> Report:
    return Report(
        orders=len(latencies_ms),
        seconds=2.0,
        statuses={"CONFIRMED": len(latencies_ms)},
        latencies_ms=latencies_ms,
        machine=MachineCpu(busy_s=1.0, steal_s=0.25),
        own_cpu_s=0.1,
    )


def test_percentiles_are_latencies_that_were_measured() -> None:
    hundred = report([float(n) for n in range(1, 101)])
    assert [hundred.latency_ms(p) for p in (50, 95, 99, 100)] == [50.0, 95.0, 99.0, 100.0]
    assert [report([7.0]).latency_ms(p) for p in (1, 50, 99)] == [7.0, 7.0, 7.0]


def test_rates_are_per_second_and_per_order() -> None:
    figures = report([1.0] * 200).figures()
    assert figures["orders_per_s"] == 100.0
    assert figures["cpu_ms_per_order"] == 5.0
    assert figures["cpu_ms_per_order_of_load"] == 0.5
    assert figures["steal_s"] == 0.25


def test_idle_and_waiting_for_disks_are_not_spent_and_steal_stands_apart() -> None:
    before = MachineCpu.parse("cpu  100 0 50 1000 30 0 10 7 0 0\ncpu0 ...", ticks_per_s=100)
    after = MachineCpu.parse("cpu  200 10 80 9000 99 5 15 9 0 0\ncpu0 ...", ticks_per_s=100)
    spent = after - before
    assert round(spent.busy_s, 6) == 1.5
    assert round(spent.steal_s, 6) == 0.02
