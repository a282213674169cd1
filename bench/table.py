"""The rows' figures for people: least / median / most of the runs, beside the floor."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.floor import figure
from bench.rows import Row
from bench.spread import Spread

TITLES = ("row", "figure", "min / median / max", "floor", "")


def lines(row: Row, documents: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Give a line for each figure of a row: those with a floor first."""
    floors = {floor.path: floor for floor in row.floors}
    found: list[tuple[str, ...]] = []
    for path in row.paths:
        values = [figure(document["figures"], path) for document in documents]
        known = [value for value in values if value is not None]
        if not known:
            found.append((row.name, path, "-", str(floors.get(path, "")), "not measured"))
            continue
        spread, floor = Spread.of(known), floors.get(path)
        verdict = ("reached" if floor.reached(spread.middle) else "MISSED") if floor else ""
        found.append((row.name, path, str(spread), str(floor or ""), verdict))
    return found + [(row.name, remark, "", "", "") for remark in remarks(documents)]


def remarks(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give what must be known beside the figures."""
    every = [document["figures"] for document in documents]
    slow = sum(not figures.get("rate_kept", True) for figures in every)
    stolen = sum(bool(figures.get("steal_is_high")) for figures in every)
    return [
        *([f"THE RATE WAS NOT KEPT UP in {slow} of {len(every)} runs"] if slow else []),
        *([f"more than 5 % stolen in {stolen} of {len(every)} runs"] if stolen else []),
    ]


def text(rows: Sequence[Sequence[str]], titles: Sequence[str] = TITLES) -> str:
    """Put cells below one another."""
    cells = [list(titles), *map(list, rows)]
    # Remarks are longer than a figure's name, and have nothing beside them.
    figures = [row for row in cells if any(row[2:])]
    widths = [max(len(row[column]) for row in figures) for column in range(len(titles))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
