"""A finished run's commands are written again, live, by their owners: nothing changes anywhere."""

from collections.abc import Mapping
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sagaline.local.client import ORCHESTRATOR
from sagaline.local.topics import live
from sagaline.local.topics.live import NotLive
from sagaline.testing.platform import Platform
from schemas import CATALOG
from tests.chaos.baskets import CONFIRMED, NO_CREDIT, OUT_OF_STOCK
from tests.chaos.databases import Rows, connected, rows
from tests.chaos.market import Market
from tests.chaos.waiting import WITHIN_S, until
from tests.end_to_end.replaying import replayed

pytestmark = pytest.mark.timeout(300)

ORDERS_OF_EACH_END = 4
PARTICIPANTS = ("orders", "inventory", "payments", "notifications")
REQUESTS = "orders.requests.v1"
COMMANDS = [f"{participant}.commands.v1" for participant in PARTICIPANTS]
REPLIES = [f"{participant}.replies.v1" for participant in PARTICIPANTS]
# How far was read, who publishes, and what was replayed: that does go on.
GO_ON = {"sagaline.positions", "sagaline.lanes", "sagaline.replays"}
NO_TIMER = "SELECT NOT EXISTS (SELECT FROM saga WHERE timer_at IS NOT NULL)"


async def test_every_command_of_ended_sagas_replayed_live_changes_no_row(
    platform: Platform,
) -> None:
    market = await Market.open(platform)
    for end in ORDERS_OF_EACH_END * (CONFIRMED, OUT_OF_STOCK, NO_CREDIT):
        await market.place(end)
    others = [
        await platform.place({"NOBODY-SELLS-THIS": 1}),
        await platform.place({await platform.a_sku(currency="USD"): 1}),
        await platform.place(customer_id=await platform.a_customer(currency="USD")),
    ]
    await market.audit()
    for order_id in others:
        await platform.saga_ended(order_id, within_s=WITHIN_S)
    await no_timer_is_left(platform)
    keys = [*market.orders, *others]
    before, ignored = await everything(platform), await ignored_inputs(platform)

    sent = {topic: await replayed(platform, topic, keys) for topic in (REQUESTS, *COMMANDS)}
    # Replies come last: what the commands make the participants say again is read, too, then.
    for topic in (REQUESTS, *COMMANDS, *REPLIES):
        await platform.consumed(topic, within_s=WITHIN_S)

    assert sent[REQUESTS].sent == len(keys)
    assert all(replay.sent and not replay.skipped for replay in sent.values()), sent
    after = await everything(platform)
    for service, tables in before.items():
        assert tables["sagaline.parked"] == [], service
        assert tables["sagaline.outbox"] == [], service
        for table in tables:
            assert after[service][table] == tables[table], f"{service}: {table}"
    await market.audit()
    # Each command was answered once more, and each answer was known already.
    answered = sum(sent[topic].sent for topic in COMMANDS)
    assert await ignored_inputs(platform) - ignored >= answered


async def test_snapshots_and_dead_letters_are_never_replayed_live(platform: Platform) -> None:
    for topic in ("sagas.events.v1", "orders.dlq.v1"):
        with pytest.raises(NotLive, match=rf"{topic} is never replayed live"):
            live.require_live(CATALOG.topics[topic])
        body = {"topic": topic, "ranges": [{"partition": 0, "first": 0, "until": 1}], "reason": "x"}
        owner = CATALOG.topics[topic].owner
        path = f"/replays/{uuid4()}"
        answer = await platform.client.ask(owner, "PUT", path, json=body, operator=True)
        assert answer.status_code == 409, answer.text
        assert "never replayed live" in answer.json()["detail"]


async def everything(platform: Platform) -> Mapping[str, Rows]:
    """All rows of all services."""
    return {
        service: await rows(platform, service, without=GO_ON) for service in platform.embedded.urls
    }


async def no_timer_is_left(platform: Platform) -> None:
    """The orchestrator has looked at its sagas for the last time: it does so lazily."""
    async with connected(platform, ORCHESTRATOR) as session:
        await until(lambda: session.fetchval(NO_TIMER), "no timer is left")


async def ignored_inputs(platform: Platform) -> int:
    """How many inputs the engine has met that changed nothing."""
    answer = await platform.client.ask(ORCHESTRATOR, "GET", "/metrics")
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "sagaline_saga_inputs_ignored_total"
    )
