"""What processes take of the machine, each with its children, from /proc."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time since the start, and memory now; pages that several share count once (PSS)."""

    cpu_s: float
    memory_mib: int


def of(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Give the usage of these processes, by name; one that has ended is absent."""
    found = {name: _usage(pid) for name, pid in pids.items()}
    return {name: usage for name, usage in found.items() if usage is not None}


def _usage(pid: int) -> Usage | None:
    try:
        # Services and Kafka have no children of their own; PostgreSQL's fork off its only thread.
        children = (PROC / f"{pid}/task/{pid}/children").read_text().split()
        # What children have spent that have ended is in their parent's time.
        cpu_s, kib = _cpu_s(pid, with_ended=True), _pss_kib(pid)
    except OSError:
        return None
    for child in map(int, children):
        try:
            cpu_s += _cpu_s(child, with_ended=False)
            kib += _pss_kib(child)
        except OSError:  # it has just ended
            continue
    return Usage(cpu_s, kib // 1024)


def _cpu_s(pid: int, *, with_ended: bool) -> float:
    # Behind the name in brackets, in which anything may stand: state is field 3 of proc(5).
    fields = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    utime, stime, cutime, cstime = map(int, fields[11:15])
    return (utime + stime + (cutime + cstime if with_ended else 0)) / TICKS_PER_S


def _pss_kib(pid: int) -> int:
    for line in (PROC / f"{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
