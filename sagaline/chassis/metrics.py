"""Figures of one service, on a registry of its own: several services fit in one process."""

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from sagaline.chassis.environment import limits
from sagaline.chassis.settings import ServiceSettings

__all__ = ["CONTENT_TYPE", "HttpMetrics", "exposition", "open_registry"]

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def open_registry(settings: ServiceSettings) -> CollectorRegistry:
    """A new registry that shows the process and every limit in the settings."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    shown = Gauge(
        "sagaline_setting",
        "A limit, size or time as it is set; the unit is in its name.",
        ["name"],
        registry=registry,
    )
    for name, value in limits(settings).items():
        shown.labels(name).set(value)
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """All figures in Prometheus' text format."""
    return generate_latest(registry)


class HttpMetrics:
    """Requests by route template and status, how long they took, and how many there are."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "sagaline_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route", "status"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._failures = Counter(
            "sagaline_http_failures_total",
            "Requests that ended in an exception nobody expected.",
            ["route"],
            registry=registry,
        )

        self.in_flight = Gauge(
            "sagaline_http_requests_in_flight",
            "Requests that are being answered, this one among them.",
            registry=registry,
        )

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer; `route` is a template, so that ids make no series."""
        self._seconds.labels(method, route, str(status)).observe(seconds)

    def failed(self, *, route: str) -> None:
        """Count an exception that became a 500."""
        self._failures.labels(route).inc()
