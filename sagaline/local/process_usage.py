"""What processes take of the machine, each with its children, from /proc."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Figure: TypeAlias = Callable[[int], float]  # of a process, by its pid; raises OSError

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time since the start, and memory now; pages that several share count once (PSS)."""

    cpu_s: float
    memory_mib: int


def of(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Give the usage of these processes, by name; one that has ended is absent."""
    spent, memory = cpu_s(pids), memory_mib(pids)
    return {name: Usage(spent[name], memory[name]) for name in spent if name in memory}


def cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    """Give their processor time alone."""
    return _families(pids, _cpu_s_with_ended, _cpu_s)


def memory_mib(pids: Mapping[str, int]) -> dict[str, int]:
    """Give their memory alone. The kernel goes through all their pages for it: 1 to 5 ms each."""
    return {name: int(kib) // 1024 for name, kib in _families(pids, _pss_kib, _pss_kib).items()}


def _families(pids: Mapping[str, int], of_parent: Figure, of_child: Figure) -> dict[str, float]:
    """Sum a figure of each process and of its children."""
    found: dict[str, float] = {}
    for name, pid in pids.items():
        try:
            # Services and Kafka have none of their own; PostgreSQL's fork off its only thread.
            children = (PROC / f"{pid}/task/{pid}/children").read_text().split()
            total = of_parent(pid)
        except OSError:
            continue
        for child in map(int, children):
            with suppress(OSError):  # it has just ended
                total += of_child(child)
        found[name] = total
    return found


def _cpu_s(pid: int) -> float:
    return sum(_ticks(pid)[:2]) / TICKS_PER_S


def _cpu_s_with_ended(pid: int) -> float:
    # What children have spent that have ended is in their parent's time.
    return sum(_ticks(pid)) / TICKS_PER_S


def _ticks(pid: int) -> list[int]:
    """Give utime, stime, and both of children that have ended."""
    # Behind the name in brackets, in which anything may stand: state is field 3 of proc(5).
    return list(map(int, (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))


def _pss_kib(pid: int) -> float:
    for line in (PROC / f"{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
