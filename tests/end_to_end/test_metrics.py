"""What alerts ask for, services say: on their /metrics, after an order has gone through."""

import asyncio
import time

from sagaline.local import figures
from sagaline.testing.platform import Platform
from tests.contract.observability.queries import metrics_of
from tests.contract.observability.rules import alerts

# By definition and version, of which a release without them knows nothing before.
SEEN_WHEN_IT_HAPPENS = {"sagaline_saga_timers_skipped_total"}
LOOKED_AT_WITHIN_S = 30.0  # some are looked up at intervals, in Kafka or in the database
POLL_S = 0.5


async def test_every_metric_of_an_alert_is_exported(platform: Platform) -> None:
    await platform.completed_order(within_s=30)
    asked = {name for alert in alerts() for name in metrics_of(alert.expression)}
    missing = await _not_exported(platform, asked - SEEN_WHEN_IT_HAPPENS)
    assert not missing, f"alerts ask for {sorted(missing)}, which nobody exports"


async def _not_exported(platform: Platform, asked: set[str]) -> set[str]:
    """Those that no service exports, for as long as they may take."""
    deadline_s = time.monotonic() + LOOKED_AT_WITHIN_S
    while missing := asked - await _exported(platform):
        if time.monotonic() > deadline_s:
            break
        await asyncio.sleep(POLL_S)
    return missing


async def _exported(platform: Platform) -> set[str]:
    shown = await figures.scrape(platform.client, platform.embedded.urls)
    return {name for each in shown.values() for name in each.samples}
