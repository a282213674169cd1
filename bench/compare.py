"""Two sets of runs side by side: `python -m bench.compare A B`, each a file, revision or name.

A difference is noise as long as the runs of both overlap: the least of one lies below the most of
the other. A single run on a side says nothing of its spread, and is marked so.
"""

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.results import Result, named, values

FIGURES = (
    "orders_per_s",
    "cpu_ms_per_order",
    "p50_ms",
    "p99_ms",
    "reads.p95_ms",
    "cpu_percent_of_one",
    "memory_mib",
)


def verdict(before: Sequence[float], after: Sequence[float]) -> str:
    """Say what the difference of these runs is worth."""
    if min(len(before), len(after)) < 2:
        return "single run"
    if min(before) <= max(after) and min(after) <= max(before):
        return "noise"
    return "less" if median(after) < median(before) else "more"


def rows(before: Sequence[Result], after: Sequence[Result]) -> list[tuple[str, ...]]:
    """Each row and figure that both have: medians, ratio, verdict."""
    found: list[tuple[str, ...]] = []
    for row in sorted({str(r["row"]) for r in before} & {str(r["row"]) for r in after}):
        sides = [[r for r in side if r["row"] == row] for side in (before, after)]
        for path in FIGURES:
            old, new = (values(side, path) for side in sides)
            if old and new and median(old):
                medians = median(old), median(new)
                shown = (f"{medians[0]:g}", f"{medians[1]:g}", f"{medians[1] / medians[0]:.2f}")
                found.append((row, path, *shown, verdict(old, new)))
    return found


def main() -> None:
    """Print the comparison; exit 2 if a side names no result."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B")
    options = parser.parse_args()
    sides = {name: named(name) for name in (options.before, options.after)}
    for name, found in sides.items():
        if not found:
            sys.exit(f"no result is named {name!r}: a file, or how a file or a revision begins")
    table = Table("row", "figure", "A", "B", "B/A", "", box=None)
    for row in rows(sides[options.before], sides[options.after]):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
