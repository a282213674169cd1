"""Figures of the intake: what waits, what becomes of it, and how well commits are shared."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)


class IntakeMetrics:
    """Figures of one gateway's intake, on its registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.waiting = Gauge(
            "sagaline_intake_waiting", "Orders that wait for a transaction.", registry=registry
        )
        self.batch = Histogram(
            "sagaline_intake_batch_orders",
            "Orders that share a transaction.",
            buckets=BUCKETS,
            registry=registry,
        )
        self.answers = Counter(
            "sagaline_intake_answers_total",
            "What became of requests: accepted, repeated, key_reused, key_held, full, closed, "
            "unavailable, failed.",
            ["answer"],
            registry=registry,
        )
