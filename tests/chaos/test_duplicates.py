"""Every message of sagas that have ended is published again: nothing changes anywhere."""

from collections.abc import Mapping

import pytest

from sagaline.testing.platform import Platform
from tests.chaos.baskets import CONFIRMED, NO_CREDIT, OUT_OF_STOCK
from tests.chaos.databases import Rows, connected, rows
from tests.chaos.market import Market
from tests.chaos.waiting import WITHIN_S, until

pytestmark = pytest.mark.timeout(300)

ORDERS_OF_EACH_END = 5
PARTICIPANTS = ("orders", "inventory", "payments", "notifications")
# Replies come last: what the commands make the participants say again has been read, too, then.
TOPICS = (
    "orders.requests.v1",
    "orders.events.v1",  # for third parties: nobody reads it here
    *(f"{participant}.commands.v1" for participant in PARTICIPANTS),
    *(f"{participant}.replies.v1" for participant in PARTICIPANTS),
)
# How far was read, and who publishes: that does go on.
GO_ON = {"sagaline.positions", "sagaline.lanes"}
NO_TIMER = "SELECT NOT EXISTS (SELECT FROM saga WHERE timer_at IS NOT NULL)"


async def test_every_message_of_ended_sagas_published_again_changes_no_row(
    platform: Platform,
) -> None:
    market = await Market.open(platform)
    for end in ORDERS_OF_EACH_END * (CONFIRMED, OUT_OF_STOCK, NO_CREDIT):
        await market.place(end)
    await market.audit()
    await no_timer_is_left(platform)
    before = await everything(platform)

    for topic in TOPICS:
        assert await platform.publish_all_again(topic, keys=market.orders), topic
    for topic in TOPICS:
        if topic != "orders.events.v1":
            await platform.consumed(topic, within_s=WITHIN_S)

    after = await everything(platform)
    for service, tables in before.items():
        assert tables["sagaline.parked"] == [], service
        for table in tables:
            assert after[service][table] == tables[table], f"{service}: {table}"
    await market.audit()


async def everything(platform: Platform) -> Mapping[str, Rows]:
    """All rows of all services."""
    return {
        service: await rows(platform, service, without=GO_ON) for service in platform.embedded.urls
    }


async def no_timer_is_left(platform: Platform) -> None:
    """The orchestrator has looked at its sagas for the last time: it does so lazily."""
    async with connected(platform, "saga_orchestrator") as session:
        await until(lambda: session.fetchval(NO_TIMER), "no timer is left")
