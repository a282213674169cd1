"""The machine's processor time."""

from sagaline.local.machine_cpu import MachineCpu


def test_idle_and_waiting_for_disks_are_not_spent_and_steal_stands_apart() -> None:
    before = MachineCpu.parse("cpu  100 0 50 1000 30 0 10 7 0 0\ncpu0 ...", ticks_per_s=100)
    after = MachineCpu.parse("cpu  200 10 80 9000 99 5 15 9 0 0\ncpu0 ...", ticks_per_s=100)
    spent = after - before
    assert round(spent.busy_s, 6) == 1.5
    assert round(spent.steal_s, 6) == 0.02
