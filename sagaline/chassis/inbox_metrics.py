"""Figures of a service's inbox: what it handles, what it can't, and what still waits."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sagaline.chassis.batch import Raw
from sagaline.chassis.metrics import BUCKETS_S
from sagaline.chassis.parking import Poison
from sagaline.chassis.positions import Partition


class InboxMetrics:
    """Counts on the service's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._handled = Counter(
            "sagaline_inbox_records_total",
            "Records that were handled, their effects committed.",
            ["topic"],
            registry=registry,
        )
        self._batches = Histogram(
            "sagaline_inbox_batch_records",
            "Records in a batch that was committed: small ones cost more each.",
            buckets=[2**power for power in range(10)],
            registry=registry,
        )
        self._seconds = Histogram(
            "sagaline_inbox_batch_seconds",
            "Time of the transaction that committed a batch, handlers included.",
            buckets=BUCKETS_S,
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

    def committed(self, batch: Sequence[Raw], *, seconds: float) -> None:
        """A batch was committed, by a transaction that took so long."""
        self._batches.observe(len(batch))
        self._seconds.observe(seconds)

    def failed(self, error: BaseException) -> None:
        """A batch failed by a record's fault, and is bisected or tried again."""
        self._failed.labels(type(error).__name__).inc()

    def parked(self, poison: Poison) -> None:
        """A record was parked."""
        self._parked.labels(poison.raw.topic, poison.error_class).inc()


class LagMetrics(Collector):
    """The lag of the partitions that this process has, asked for at each scrape."""

    def __init__(
        self, registry: CollectorRegistry, lag: Callable[[], Mapping[Partition, int]]
    ) -> None:
        self._lag = lag
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample a partition."""
        family = GaugeMetricFamily(
            "sagaline_consumer_lag_records",
            "Records in the log that are not handled yet, as last measured.",
            labels=["topic", "partition"],
        )
        for (topic, partition), records in self._lag().items():
            family.add_metric([topic, str(partition)], records)
        yield family
