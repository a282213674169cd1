"""How much processor time the whole machine has spent, from /proc/stat."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

STAT = Path("/proc/stat")


@dataclass(frozen=True, slots=True)
class MachineCpu:
    """Seconds over all processors since boot: spent by us, and stolen by the hypervisor."""

    busy_s: float
    steal_s: float

    @classmethod
    def now(cls) -> Self:
        """Read them."""
        return cls.parse(STAT.read_text(), ticks_per_s=os.sysconf("SC_CLK_TCK"))

    @classmethod
    def parse(cls, stat: str, *, ticks_per_s: int) -> Self:
        """Take them from the first line: user, nice, system, idle, iowait, irq, softirq, steal."""
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.split()[1:9])
        return cls((user + nice + system + irq + softirq) / ticks_per_s, steal / ticks_per_s)

    def __sub__(self, earlier: "MachineCpu") -> "MachineCpu":
        """Give what was spent since `earlier`."""
        return MachineCpu(self.busy_s - earlier.busy_s, self.steal_s - earlier.steal_s)
