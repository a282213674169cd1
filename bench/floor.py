"""What a figure should come to. Figures are named by their path in a result: `latency.p50_ms`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Floor:
    """A bound of a figure; `lowest`: it is the least, else the most."""

    path: str
    bound: float
    lowest: bool

    def reached(self, value: float) -> bool:
        """Whether the value keeps to it."""
        return value >= self.bound if self.lowest else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.lowest else '<='} {self.bound:g}"


def at_least(path: str, bound: float) -> Floor:
    """The figure should be so much or more."""
    return Floor(path, bound, lowest=True)


def at_most(path: str, bound: float) -> Floor:
    """The figure should be so much or less."""
    return Floor(path, bound, lowest=False)


def figure(figures: Mapping[str, Any], path: str) -> float | None:
    """Give a figure by its path; None if the result doesn't have it."""
    if path in figures:
        found = figures[path]
        return float(found) if isinstance(found, int | float) else None
    first, _, rest = path.partition(".")
    inner = figures.get(first)
    return figure(inner, rest) if rest and isinstance(inner, Mapping) else None
