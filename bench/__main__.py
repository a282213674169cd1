"""`python -m bench [--rows NAME,...] [--runs N] [--seconds S] [--record]`: measure the platform.

Exit 1 if books are wrong or orders ended as they shouldn't; a floor that is missed is told only,
since one machine isn't another, nor itself an hour later.
"""

import argparse
import sys

from bench import record, table
from bench.measure import measure
from bench.rows import ROWS, Row


def main() -> None:
    """Measure each row, print the table."""
    options = _options()
    cells: list[tuple[str, ...]] = []
    wrong = False
    for row in options.rows:
        documents = []
        for number in range(options.runs):
            print(f"{row.name}, run {number + 1} of {options.runs}", file=sys.stderr)
            documents.append(measure(row, seed=options.seed + number))
            if options.record:
                print(record.write(documents[-1]), file=sys.stderr)
            for problem in documents[-1]["problems"]:
                wrong = True
                print(f"WRONG: {row.name}: {problem}", file=sys.stderr)
        cells += table.lines(row, documents)
    print(table.text(cells))
    sys.exit(1 if wrong else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", help="names, with commas between; all, if not given")
    parser.add_argument("--runs", type=int, default=1, help="of each row")
    parser.add_argument("--seconds", type=float, help="another length of all windows")
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--record", action="store_true", help="keep each run in bench/results")
    options = parser.parse_args()
    try:
        options.rows = [row.shortened(options.seconds) for row in _rows(options.rows)]
    except LookupError as error:
        parser.error(str(error.args[0]))
    return options


def _rows(names: str | None) -> list[Row]:
    known = {row.name: row for row in ROWS}
    wanted = names.split(",") if names else list(known)
    if unknown := set(wanted) - known.keys():
        raise LookupError(f"no row {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


if __name__ == "__main__":
    main()
