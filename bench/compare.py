"""`python -m bench.compare A B`: two recorded results, each a file or all of a revision.

A difference is within noise if the runs' ranges of the two overlap. Of a single run the range isn't
known: it is taken as 10 % to both sides, about what runs of an unchanged platform differ by. Where
`yardstick_ms` differs, so did the machine, and processor time with it.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench import record, table
from bench.floor import figure
from bench.record import Document
from bench.rows import ROWS
from bench.spread import Spread

SINGLE = 0.10
TITLES = ("row", "figure", "A", "B", "B / A", "")


def main() -> None:
    """Print a ratio for each figure that both have."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("a", help="a file, or the begin of a commit")
    parser.add_argument("b")
    options = parser.parse_args()
    try:
        rows = compare(record.read(options.a), record.read(options.b))
    except LookupError as error:
        parser.error(str(error.args[0]))
    print(table.text(rows, TITLES))


def compare(a: Sequence[Document], b: Sequence[Document]) -> list[tuple[str, ...]]:
    """Give a line for each figure of each row that both have."""
    left, right = _by_row(a), _by_row(b)
    found: list[tuple[str, ...]] = []
    for row in ROWS:
        for path in row.paths:
            before, after = (_values(side.get(row.name, []), path) for side in (left, right))
            if before and after:
                found.append((row.name, path, *difference(before, after)))
    return found


def difference(before: Sequence[float], after: Sequence[float]) -> tuple[str, str, str, str]:
    """Give the two medians, their ratio, and whether that is noise."""
    a, b = Spread.of(before), Spread.of(after)
    ratio = f"{b.middle / a.middle:.2f}" if a.middle else "-"
    is_noise = _range(before).overlaps(_range(after))
    return f"{a.middle:,.4g}", f"{b.middle:,.4g}", ratio, "within noise" if is_noise else ""


def _range(values: Sequence[float]) -> Spread:
    if len(values) > 1:
        return Spread.of(values)
    return Spread.of([values[0], values[0] * (1 - SINGLE), values[0] * (1 + SINGLE)])


def _by_row(documents: Sequence[Document]) -> Mapping[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        found[document["name"]].append(document)
    return found


def _values(documents: Sequence[Document], path: str) -> list[float]:
    values = (figure(document["figures"], path) for document in documents)
    return [value for value in values if value is not None]


if __name__ == "__main__":
    main()
