"""Figures of a service's live replays."""

from prometheus_client import CollectorRegistry, Counter


class ReplayMetrics:
    """Figures of one process's replays, on its registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.sent = Counter(
            "sagaline_replay_records_total",
            "Records of live replays that were put into the outbox.",
            registry=registry,
        )
        self.errors = Counter(
            "sagaline_replay_errors_total",
            "Errors that interrupted a live replay, by class.",
            ["error"],
            registry=registry,
        )
