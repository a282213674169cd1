"""Whatever happens to whichever part, and when: orders end as they had to, soon afterwards.

`make chaos` is the long form: every fault, each among 500 running orders. In the short form there
are fewer of them, and one service stands still, for a little longer than the group's session lasts.
"""

import random
import time
from typing import NamedTuple

import pytest

from sagaline.testing.platform import Platform
from tests.chaos.conftest import Stopwatch
from tests.chaos.faults import Fault, kills, standstills
from tests.chaos.market import Market

pytestmark = pytest.mark.timeout(900)

RECOVERY_S = 10.0
WITHIN_S = 240.0


class Drill(NamedTuple):
    """How hard it is."""

    orders: int  # that run when a fault strikes
    standstills: int  # services that are struck so
    standstill_s: float
    timed: bool  # whether it takes a machine of its own, and recovery may not be late


SHORT = Drill(orders=20, standstills=1, standstill_s=12.0, timed=False)
LONG = Drill(orders=500, standstills=6, standstill_s=60.0, timed=True)


@pytest.fixture
def drill(pytestconfig: pytest.Config) -> Drill:
    """The long form if it was asked for."""
    return LONG if pytestconfig.getoption("--long-drill", default=False) else SHORT


async def test_any_fault_at_any_moment_harms_no_order(
    platform: Platform, drill: Drill, stopwatch: Stopwatch
) -> None:
    rng = random.Random(platform.seed)
    services = [service.name for service in platform.embedded.config.services]
    faults = [
        *kills(services),
        *standstills(rng.sample(services, drill.standstills), seconds=drill.standstill_s),
    ]
    rng.shuffle(faults)
    market = await Market.open(platform, within_s=WITHIN_S)
    recovered_s: dict[str, float] = {}
    for fault in faults:
        moment = rng.randint(1, 2 * drill.orders - 1)
        recovered_s[str(fault)] = await struck(platform, market, fault, drill.orders, moment)
        stopwatch.tell(recovered_s[str(fault)], f"{fault} at {moment} of {2 * drill.orders}")
    await market.audit()
    late = {what: seconds for what, seconds in recovered_s.items() if seconds > RECOVERY_S}
    assert not (drill.timed and late)


async def struck(
    platform: Platform, market: Market, fault: Fault, orders: int, moment: int
) -> float:
    """Seconds from the end of the fault until orders of every partition, placed then, have ended.

    It strikes when the orders that run have begun and ended `moment` times in all.
    """
    topics = platform.catalog.topics.values()
    partitions = max(topic.partitions for topic in topics)
    async with market.crowd(orders) as crowd:
        await crowd.advanced(moment)
        over_s = await fault.strike(platform)
        await market.an_order_of_each(partitions)
        return time.monotonic() - over_s
