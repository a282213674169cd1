"""`python -m bench`: each load of the table against its floors, on a platform of its own.

Exit 0 unless some books are wrong or an order did not end as it had to: floors are told of, not
judged, since machines differ.
"""

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from bench import results
from bench.measure import measure
from bench.results import Result
from bench.rows import ROWS, Row


def main() -> None:
    """Measure the rows that are asked for, so many times each; print, and keep if asked to."""
    options = _options()
    table = Table("row", "figure", "floor", "least", "median", "most", "reached", box=None)
    problems: list[str] = []
    for row in [each for each in ROWS if each.name in options.rows]:
        runs = _runs(row.lasting(options.seconds), options)
        problems += [f"{row.name}: {text}" for each in runs for text in each["problems"]]
        for line in lines(row, runs):
            table.add_row(*line)
    Console().print(table)
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


def lines(row: Row, runs: Sequence[Result]) -> list[tuple[str, ...]]:
    """Each floor of the row beside what the runs came to; a floor counts by the median."""
    found: list[tuple[str, ...]] = []
    for floor in row.floors:
        values = results.values(runs, floor.figure)
        shown, reached = ["-"] * 3, ""
        if values:
            middle = median(values)
            shown = [f"{each:g}" for each in (min(values), middle, max(values))]
            reached = "yes" if floor.reached(middle) else "NO"
        found.append((row.name, floor.figure, str(floor), *shown, reached))
    return found


def _runs(row: Row, options: argparse.Namespace) -> list[Result]:
    found: list[Result] = []
    for number in range(options.runs):
        print(f"{row.name}, run {number + 1} of {options.runs}", file=sys.stderr)
        figures = measure(row, seed=options.seed + number)
        result = results.document(row.name, figures, seed=options.seed + number)
        _warn(result)
        if options.record:
            print(results.record(result), file=sys.stderr)
        found.append(result)
    return found


def _warn(result: Result) -> None:
    """Wall figures of a window of which others took more than 5 % say little."""
    if (steal := result.get("steal_percent", 0)) > 5:
        print(f"{result['row']}: {steal} % of the processors were stolen", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [row.name for row in ROWS]
    parser.add_argument("--rows", nargs="+", choices=names, default=names, metavar="ROW")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="instead of each row's own, for a look")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help=f"keep in {results.FOLDER.name}/")
    return parser.parse_args()


if __name__ == "__main__":
    main()
