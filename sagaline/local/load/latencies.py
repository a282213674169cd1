"""Latencies in an HDR histogram: exact to three digits, in bounded memory."""

from typing import Final

from hdrh.histogram import HdrHistogram

LOWEST_US, HIGHEST_US, DIGITS = 1, 3_600_000_000, 3
PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9}


class Latencies:
    """Durations as they come; percentiles at any time."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)

    def __len__(self) -> int:
        return int(self._histogram.get_total_count())

    def add(self, seconds: float) -> None:
        """Take one in; above an hour it counts as an hour."""
        self._histogram.record_value(min(max(int(seconds * 1e6), LOWEST_US), HIGHEST_US))

    def ms(self, percentile: float) -> float:
        """Give the milliseconds that so many percent of them did not exceed; 0 of none."""
        assert 0 < percentile <= 100, percentile
        return float(self._histogram.get_value_at_percentile(percentile)) / 1000 if len(self) else 0

    def figures(self) -> dict[str, float]:
        """Give what is worth writing down, in milliseconds."""
        named = {f"{name}_ms": self.ms(percent) for name, percent in PERCENTILES.items()}
        return {name: round(ms, 1) for name, ms in (named | {"max_ms": self.ms(100)}).items()}
