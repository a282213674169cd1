"""The platform in containers does what it does without, and is what compose.yaml says of it."""

import asyncio
import json
import subprocess
import sys

import pytest

from sagaline.testing.platform import Platform
from tests.chaos.market import Market
from tests.containers.compose.composed import Composed

pytestmark = pytest.mark.timeout(600)

SERVICES = ("gateway", "order", "inventory", "payment", "notification", "orchestrator")
SERVERS = ("kafka", "postgres")
WITHIN_S = 240.0


async def test_an_order_is_confirmed(platform: Platform) -> None:
    order = await platform.completed_order(within_s=WITHIN_S)
    assert (await platform.saga(order.order_id)).state == "COMPLETED"
    assert (await platform.ledger_when_quiet(within_s=WITHIN_S)).problems == []


def test_sagactl_speaks_to_it(composed: Composed) -> None:
    status = sagactl(composed, "status", "--json")
    assert status["ready"] is True
    assert isinstance(services := status["services"], dict)
    assert list(services) == [service.name for service in composed.config.services]
    assert sagactl(composed, "topic", "list", "--json")
    assert "orders" in sagactl(composed, "order", "list", "--json")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_no_root_and_writes_nowhere(composed: Composed, service: str) -> None:
    def inside(command: str) -> str:
        return composed.compose("exec", "-T", service, "bash", "-c", command).strip()

    assert inside("id -u") == "10001"
    assert inside("touch /sagaline/app/new /usr/new 2>/dev/null || echo refused") == "refused"
    assert inside("type -P gcc cc || echo none") == "none"
    assert inside("cat /run/secrets/*_owner_url 2>/dev/null || echo none") == "none"


async def test_three_inventories_share_the_work(composed: Composed, platform: Platform) -> None:
    composed.up("--no-recreate", "--scale", "inventory=3", "inventory")
    try:
        market = await Market.open(platform, within_s=WITHIN_S)
        async with market.crowd(100):
            pass
        await market.audit()
        owners = "SELECT count(DISTINCT owner) FROM sagaline.positions WHERE owner IS NOT NULL"
        assert composed.query("inventory_service", owners) == "3"
    finally:
        composed.up("--no-recreate", "--scale", "inventory=1", "inventory")


@pytest.mark.parametrize("service", SERVICES)
def test_a_stopped_service_leaves_nothing_in_hand(composed: Composed, service: str) -> None:
    (container,) = composed.containers(service)
    composed.compose("stop", service)
    try:
        state = json.loads(composed.docker("inspect", container.name))[0]["State"]
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
        held = "SELECT count(*) FROM sagaline.positions WHERE owner IS NOT NULL"
        unsent = "SELECT count(*) FROM sagaline.outbox"
        assert [composed.query(container.package or "", of) for of in (held, unsent)] == ["0", "0"]
    finally:
        composed.start(service)


@pytest.mark.parametrize("service", [*SERVICES, *SERVERS])
async def test_orders_end_right_when_a_container_is_killed_among_them(
    composed: Composed, platform: Platform, service: str
) -> None:
    market = await Market.open(platform, within_s=WITHIN_S)
    async with market.crowd(200) as crowd:
        await crowd.advanced(100)
        await asyncio.to_thread(composed.kill, service)
        await asyncio.to_thread(composed.start, service)
    await market.audit()


async def test_data_outlives_down(composed: Composed, platform: Platform) -> None:
    order = await platform.completed_order(within_s=WITHIN_S)
    await asyncio.to_thread(composed.down)
    await asyncio.to_thread(composed.up)
    assert await platform.client.order(order.order_id) == order


def sagactl(composed: Composed, *arguments: str) -> dict[str, object]:
    """What the command prints, which has to be JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "sagaline.cli", "--profile", "compose", *arguments],
        cwd=composed.root,
        env=composed.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found
