"""Several runs' values of one figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the middle one and the most."""

    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of one value or more."""
        return cls(min(values), median(values), max(values))

    def overlaps(self, other: "Spread") -> bool:
        """Whether some value lies within both."""
        return self.least <= other.most and other.least <= self.most

    def __str__(self) -> str:
        return " / ".join(
            f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
            for value in (self.least, self.middle, self.most)
        )
