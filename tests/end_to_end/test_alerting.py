"""On a platform that is ill a real Prometheus fires, and is silent again once it is well."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deploy.dashboards import DASHBOARDS
from sagaline.local.client import ORDER, PAYMENT
from sagaline.testing.platform import Platform
from tests.chaos.databases import connected
from tests.end_to_end import prometheus
from tests.end_to_end.prometheus import Prometheus

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("own_processes")]

SHOWN_WITHIN_S = 60.0  # the services look some of it up each 15 s
WITHOUT_TROUBLE_EMPTY = {
    "Answered with 5xx",
    "Batches that failed by a record",
    "Errors of relays",
    "Repeats, answered from the barrier",
    "Steps refused",
}
QUARANTINED = """
    INSERT INTO sagaline.outbox
        (topic, key, type, message_id, headers, payload, created_at, quarantined_at, error)
    VALUES ('orders.events.v1', $1, 'a.Test', $2, '{}', '\\x00', now(), now(), 'No such topic.')
"""


@pytest.fixture
async def watching(platform: Platform, tmp_path: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that sees the whole platform."""
    urls = platform.environment.urls
    with prometheus.running(tmp_path, urls, random.Random(platform.seed)) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            asked = Prometheus(http)
            await asked.watches(len(urls))
            yield asked


async def test_a_service_that_hangs_is_told_of_until_it_answers_again(
    platform: Platform, watching: Prometheus
) -> None:
    await watching.fires("ServiceDown", service=PAYMENT, now=False)  # it did before the first look
    platform.pause(PAYMENT)
    await watching.fires("ServiceDown", service=PAYMENT)
    await watching.fires("ServiceDown", service=ORDER, now=False)
    platform.resume(PAYMENT)
    await watching.fires("ServiceDown", service=PAYMENT, now=False)


async def test_a_message_that_can_not_be_sent_is_told_of_until_it_is_gone(
    platform: Platform, watching: Prometheus
) -> None:
    await watching.fires("OutboxRowsQuarantined", service=ORDER, now=False)
    key = str(uuid4())
    async with connected(platform, ORDER) as session:
        await session.execute(QUARANTINED, key, uuid4())
        await watching.fires("OutboxRowsQuarantined", service=ORDER)
        await session.execute("DELETE FROM sagaline.outbox WHERE key = $1", key)
    await watching.fires("OutboxRowsQuarantined", service=ORDER, now=False)


async def test_each_panel_has_something_to_show(platform: Platform, watching: Prometheus) -> None:
    await platform.completed_order(within_s=30)
    deadline_s = time.monotonic() + SHOWN_WITHIN_S
    while empty := await _empty(watching) - WITHOUT_TROUBLE_EMPTY:
        assert time.monotonic() < deadline_s, empty
        await asyncio.sleep(prometheus.POLL_S)


async def _empty(watching: Prometheus) -> set[str]:
    """The titles of panels one of whose queries gives nothing."""
    return {
        panel.title
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query in panel.queries.values()
        if not await watching.query(query)
    }
