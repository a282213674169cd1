"""Figures of calls to the outside, by port."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sagaline.chassis.breaker import Breaker
from sagaline.chassis.effects import Port


class EffectMetrics(Collector):
    """Counts on the service's registry; asks the breakers at each scrape."""

    def __init__(self, registry: CollectorRegistry, breakers: Mapping[str, Breaker]) -> None:
        self._breakers = breakers
        self._seconds = Histogram(
            "sagaline_effect_call_seconds",
            "Time of a call or a question to the outside, by how it ended:"
            " answered (a refusal, too), unavailable, failed or cancelled.",
            ["port", "how"],
            registry=registry,
        )
        registry.register(self)

    def called(self, port: Port, *, how: str, seconds: float) -> None:
        """A call or a question ended."""
        self._seconds.labels(port.name, how).observe(seconds)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample a port."""
        family = GaugeMetricFamily(
            "sagaline_effect_port_away",
            "1 while nobody calls, since the port failed again and again.",
            labels=["port"],
        )
        for name, breaker in self._breakers.items():
            family.add_metric([name], breaker.problem is not None)
        yield family
