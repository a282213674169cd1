"""Orders that are over are replayed live: whoever has acted on a message doesn't act again.

What each table holds then is compared in `tests/integration/topics/test_replayed_runs.py`.
"""

import pytest

from sagaline.testing.platform import Platform
from tests.chaos.baskets import CONFIRMED, NO_CREDIT, OUT_OF_STOCK
from tests.chaos.market import Market
from tests.chaos.waiting import WITHIN_S
from tests.end_to_end.replaying import replayed

PARTICIPANTS = ("orders", "inventory", "payments", "notifications")
TOPICS = ("orders.requests.v1", *(f"{participant}.commands.v1" for participant in PARTICIPANTS))


@pytest.mark.timeout(300)
async def test_a_replay_of_all_commands_moves_no_goods_and_no_money(platform: Platform) -> None:
    market = await Market.open(platform)
    for end in (CONFIRMED, OUT_OF_STOCK, NO_CREDIT):
        await market.place(end)
    await market.audit()
    for topic in TOPICS:
        assert (await replayed(platform, topic, market.orders)).sent > 0
        await platform.consumed(topic, within_s=WITHIN_S)
        await platform.consumed(topic.replace("commands", "replies"), within_s=WITHIN_S)
    await market.audit()
