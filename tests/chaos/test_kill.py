"""A process dies in the middle of the orders: all of them end as they must, and the books agree."""

import pytest

from sagaline.testing.platform import Platform

pytestmark = pytest.mark.timeout(240)

SERVICES = [
    "gateway_service",
    "order_service",
    "inventory_service",
    "payment_service",
    "notification_service",
    "saga_orchestrator",
]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_kill_among_running_orders_charges_nobody_twice(
    platform: Platform, service: str
) -> None:
    async with platform.load(orders=60, seed=platform.seed) as load:
        await load.under_way(20)
        await platform.kill(service)
    ledger = await platform.ledger_when_quiet(within_s=60)
    assert ledger.problems == []
    assert ledger.open_sagas == 0
    assert ledger.captured_minor == ledger.confirmed_minor == ledger.committed_minor
