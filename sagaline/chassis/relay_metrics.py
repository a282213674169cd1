"""Figures of a relay: what it publishes, how long that takes, and what waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RelayMetrics:
    """Figures of one service's relay, on its registry."""

    def __init__(self, registry: CollectorRegistry, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.waits_since: datetime | None = None  # when the oldest row that waits was written
        self.published = Counter(
            "sagaline_relay_rows_total", "Outbox rows that Kafka acked.", registry=registry
        )
        self.in_flight = Gauge(
            "sagaline_relay_rows_in_flight", "Outbox rows of the round in hand.", registry=registry
        )
        self.quarantined = Counter(
            "sagaline_relay_quarantined_total",
            "Outbox rows set aside because Kafka will never take them.",
            registry=registry,
        )
        self.round_s = Histogram(
            "sagaline_relay_round_seconds",
            "Time to publish a round's rows and to delete them.",
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.errors = Counter(
            "sagaline_relay_errors_total",
            "Errors that ended a producer or a session, by class.",
            ["error"],
            registry=registry,
        )
        self.holds_lane = Gauge(
            "sagaline_relay_holds_lane",
            "1 where this process drains the outbox, 0 where another one does.",
            registry=registry,
        )
        self.rows_waiting = Gauge(
            "sagaline_outbox_rows", "Rows in the outbox, counted up to 100,000.", registry=registry
        )
        self.rows_quarantined = Gauge(
            "sagaline_outbox_quarantined_rows",
            "Rows in the outbox that wait for a person.",
            registry=registry,
        )
        # By the clock of whoever looks: it grows also while the relay waits for Kafka.
        Gauge(
            "sagaline_outbox_oldest_seconds",
            "Age of the oldest row that is to be published; 0 when none waits.",
            registry=registry,
        ).set_function(self._oldest_s)

    def backlog(self, *, rows: int, quarantined: int, waits_since: datetime | None) -> None:
        """So much waits here; nothing, where another process sees to it."""
        self.rows_waiting.set(rows)
        self.rows_quarantined.set(quarantined)
        self.waits_since = waits_since

    def _oldest_s(self) -> float:
        since = self.waits_since
        return 0.0 if since is None else max(0.0, (self._clock() - since).total_seconds())

    @contextmanager
    def round(self, rows: int) -> Iterator[None]:
        """A round of so many rows, timed, and shown while it goes on."""
        self.in_flight.set(rows)
        try:
            with self.round_s.time():
                yield
        finally:
            self.in_flight.set(0)
