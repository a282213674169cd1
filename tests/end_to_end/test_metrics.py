"""What alerts and dashboards ask for, services say: on the /metrics of a platform that runs."""

import asyncio
import time
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from deploy.dashboards import DASHBOARDS
from sagaline.cli.reference import metrics
from sagaline.testing.platform import Platform
from tests.contract.observability.queries import metrics_of
from tests.contract.observability.rules import alerts

LOOKED_AT_WITHIN_S = 30.0  # some are looked up at intervals, in Kafka or in the database
POLL_S = 0.5
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


async def test_every_metric_of_an_alert_or_a_dashboard_is_exported(platform: Platform) -> None:
    await platform.completed_order(within_s=30)
    missing = await _not_exported(
        platform, {name for query in _queries() for name in metrics_of(query)}
    )
    assert not missing, f"asked for, and exported by nobody: {sorted(missing)}"


async def test_whatever_is_exported_stands_on_the_page_of_metrics(platform: Platform) -> None:
    await platform.completed_order(within_s=30)
    services = [each.name for each in platform.environment.config.services]
    rooms = ("sagaline.chassis", "sagaline.engine", *services)
    told = {each.name: each for room in rooms for each in metrics.of(room)}
    for service in services:
        for family in await _families(platform, service):
            if family.name.startswith(metrics.OURS):
                name = family.name + ("_total" if family.type == "counter" else "")
                assert (told[name].kind, told[name].meaning) == (family.type, family.documentation)


def _queries() -> Iterator[str]:
    for alert in alerts():
        yield alert.expression
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            yield from panel.queries.values()


async def _not_exported(platform: Platform, asked: set[str]) -> set[str]:
    """Those that no service exports, for as long as they may take."""
    deadline_s = time.monotonic() + LOOKED_AT_WITHIN_S
    while missing := asked - await _exported(platform):
        if time.monotonic() > deadline_s:
            break
        await asyncio.sleep(POLL_S)
    return missing


async def _exported(platform: Platform) -> set[str]:
    """All samples' names; of what has labels and never happened yet, those that it will have."""
    names = set()
    for service in platform.environment.urls:
        for family in await _families(platform, service):
            names |= {sample.name for sample in family.samples}
            names |= {family.name + suffix for suffix in SUFFIXES.get(family.type, ("",))}
    return names


async def _families(platform: Platform, service: str) -> list[Metric]:
    answer = await platform.http(service).get("/metrics")
    found = text_string_to_metric_families(answer.text)
    return [each for each in found if not each.name.endswith("_created")]  # the library's own
