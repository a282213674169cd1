"""Figures of a service's inbox: what it handles, and what it can't."""

from prometheus_client import CollectorRegistry, Counter

from sagaline.chassis.parking import Poison


class InboxMetrics:
    """Counts on the service's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._handled = Counter(
            "sagaline_inbox_records_total",
            "Records that were handled, their effects committed.",
            ["topic"],
            registry=registry,
        )
        self._repeated = Counter(
            "sagaline_inbox_repeats_total",
            "Commands that had been executed before, and were answered again.",
            ["topic"],
            registry=registry,
        )
        self._failed = Counter(
            "sagaline_inbox_failures_total",
            "Batches that failed by a record's fault, by class of the error.",
            ["error"],
            registry=registry,
        )
        self._parked = Counter(
            "sagaline_inbox_parked_total",
            "Records that were parked.",
            ["topic", "error"],
            registry=registry,
        )

    def handled(self, topic: str, *, records: int, repeated: int) -> None:
        """`records` were handled, `repeated` of them answered from the barrier."""
        self._handled.labels(topic).inc(records)
        if repeated:
            self._repeated.labels(topic).inc(repeated)

    def failed(self, error: BaseException) -> None:
        """A batch failed by a record's fault, and is bisected or tried again."""
        self._failed.labels(type(error).__name__).inc()

    def parked(self, poison: Poison) -> None:
        """A record was parked."""
        self._parked.labels(poison.raw.topic, poison.error_class).inc()
