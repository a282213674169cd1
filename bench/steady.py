"""Whether a platform keeps pace: what waits near a load's end, against what waited before."""

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any

EARLY, LATE, WIDTH = 0.4, 1.0, 0.1  # of five minutes: minute 2, minute 5, half a minute each
LAG_MIN, AGE_MIN_S = 10.0, 0.1  # less than this is nothing to compare with

Second = Mapping[str, Any]


def figures(series: Sequence[Second]) -> dict[str, float]:
    """Give ratios of late to early, by sums over the services; nothing of a short series."""
    if len(series) < 1 / WIDTH:
        return {}
    lag = _ratio(series, lambda second: _sum(second, "lag_records"), LAG_MIN)
    age = _ratio(series, lambda second: _longest(second, "outbox_oldest_s"), AGE_MIN_S)
    return {"lag_ratio": lag, "outbox_oldest_ratio": age}


def _ratio(series: Sequence[Second], of: Callable[[Second], float], least: float) -> float:
    early, late = (mean(of(second) for second in _part(series, until)) for until in (EARLY, LATE))
    return round(max(late, least) / max(early, least), 3)


def _part(series: Sequence[Second], until: float) -> Sequence[Second]:
    end = round(len(series) * until)
    return series[end - max(round(len(series) * WIDTH), 1) : end]


def _sum(second: Second, name: str) -> float:
    return float(sum(service[name] for service in second["services"].values()))


def _longest(second: Second, name: str) -> float:
    return float(max((service[name] for service in second["services"].values()), default=0.0))
