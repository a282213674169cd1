"""Figures of those who wait for orders, and of the looks that are taken for them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)


class WatchingMetrics:
    """Figures of one gateway's watching, on its registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.waiting = Gauge(
            "sagaline_orders_waited_for", "Requests that wait for an order.", registry=registry
        )
        self.looks = Histogram(
            "sagaline_order_look_requests",
            "Waiting requests that one look at the read model was for.",
            buckets=BUCKETS,
            registry=registry,
        )
        self.failures = Counter(
            "sagaline_order_look_failures_total",
            "Looks at the read model that failed for now.",
            registry=registry,
        )
