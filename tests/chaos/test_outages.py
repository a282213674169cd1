"""Kafka or the databases are away for a while: what was accepted ends as if nothing had been."""

import asyncio

import pytest

from sagaline.testing.platform import QUICK, Platform

pytestmark = pytest.mark.timeout(240)  # an outage, and the way back from it

STEP_TIMEOUT_S = int(QUICK["SAGALINE_ORCHESTRATOR_STEP_TIMEOUT_MS"]) / 1000


async def test_kafka_away_for_ten_step_timeouts_rejects_no_order(platform: Platform) -> None:
    async with platform.load(orders=60, seed=platform.seed) as load:
        await load.under_way(20)
        await platform.kill_kafka()
        accepted = await platform.place()  # the outbox waits, the customer doesn't
        # The length of the outage is what is tested; nothing is waited for.
        await asyncio.sleep(10 * STEP_TIMEOUT_S)
        await platform.start_kafka()
    assert (await platform.ended(accepted, within_s=60)).status == "CONFIRMED"
    ledger = await platform.ledger_when_quiet(within_s=60)
    assert ledger.problems == []


async def test_databases_that_were_killed_lose_no_order(platform: Platform) -> None:
    async with platform.load(orders=60, seed=platform.seed) as load:
        await load.under_way(20)
        await platform.kill_postgres()
        await platform.start_postgres()
    ledger = await platform.ledger_when_quiet(within_s=60)
    assert ledger.problems == []
