"""Latencies in an HDR histogram: three significant digits from a microsecond to an hour."""

from typing import Final

from hdrh.histogram import HdrHistogram

LONGEST_US: Final = 3_600_000_000
PERCENTILES: Final = (50, 90, 95, 99, 99.9)


class Latencies:
    """Takes seconds, gives milliseconds. Its size doesn't depend on how many it has taken."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, LONGEST_US, 3)

    def add(self, seconds: float) -> None:
        """Count one; what is shorter or longer than can be told counts as the nearest that can."""
        self._histogram.record_value(min(max(round(seconds * 1e6), 1), LONGEST_US))

    @property
    def count(self) -> int:
        """How many were counted."""
        return int(self._histogram.get_total_count())

    def ms(self, percentile: float) -> float:
        """Give the latency that so many percent didn't exceed; 0 if there is none."""
        if not self.count:
            return 0.0
        return float(self._histogram.get_value_at_percentile(percentile)) / 1000

    @property
    def longest_ms(self) -> float:
        """The longest; 0 if there is none."""
        return float(self._histogram.get_max_value()) / 1000 if self.count else 0.0

    def figures(self) -> dict[str, float]:
        """Give what is worth writing down, `p50_ms` to `p99.9_ms` and `max_ms`; nothing of none."""
        if not self.count:
            return {}
        found = {f"p{percentile}_ms": round(self.ms(percentile), 2) for percentile in PERCENTILES}
        return found | {"max_ms": round(self.longest_ms, 2)}
