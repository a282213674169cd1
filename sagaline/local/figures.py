"""The services' figures, as their /metrics show them at a moment."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

from sagaline.local.client import Client, Unreachable

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """All samples of one service, by name."""

    samples: Mapping[str, Sequence[tuple[Labels, float]]]

    @classmethod
    def parse(cls, exposition: str) -> Self:
        """Read Prometheus' text format."""
        samples: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                samples[sample.name].append((sample.labels, sample.value))
        return cls(dict(samples))

    def total(self, name: str, /, **labels: str) -> float:
        """Give the sum of the samples that have these labels; 0 if there are none."""
        return sum(
            value for found, value in self.samples.get(name, ()) if labels.items() <= found.items()
        )

    def by(self, name: str, label: str) -> dict[str, float]:
        """Give sums by the values of one label."""
        sums: dict[str, float] = defaultdict(float)
        for labels, value in self.samples.get(name, ()):
            sums[labels[label]] += value
        return dict(sums)


async def scrape(client: Client, services: Iterable[str]) -> dict[str, Figures]:
    """Give the figures of these services; one that doesn't answer is absent."""
    names = list(services)
    found = await asyncio.gather(*(_scrape(client, name) for name in names))
    return {name: each for name, each in zip(names, found, strict=True) if each is not None}


async def _scrape(client: Client, service: str) -> Figures | None:
    try:
        answer = await client.ask(service, "GET", "/metrics")
    except Unreachable:
        return None
    return Figures.parse(answer.text) if answer.status_code == httpx.codes.OK else None
