"""What processes take of the machine, each with its children."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time since the start, and memory now."""

    cpu_s: float
    memory_mib: int


def of(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Give the usage of these processes, by name; one that has ended is absent."""
    found = {name: _usage(pid) for name, pid in pids.items()}
    return {name: usage for name, usage in found.items() if usage is not None}


def _usage(pid: int) -> Usage | None:
    try:
        process = psutil.Process(pid)
        # Services and Kafka have no children of their own; PostgreSQL has one for each connection.
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return None
    cpu_s, own, shared = 0.0, 0, 0
    for each in family:
        try:
            with each.oneshot():
                times, memory = each.cpu_times(), each.memory_info()
        except psutil.Error:  # it has just ended
            continue
        cpu_s += times.user + times.system
        own += memory.rss - memory.shared
        shared = max(shared, memory.shared)  # they share the same pages
    return Usage(cpu_s, (own + shared) // 2**20)
