"""Topics written again by their owners, as `sagactl topic replay --live` has it done."""

from collections.abc import Collection
from uuid import UUID, uuid4

from sagaline.chassis import log_reader
from sagaline.chassis.log_records import Span
from sagaline.local.topics import live
from sagaline.local.topics.live import LiveReplay
from sagaline.testing.platform import Platform
from schemas import CATALOG
from tests.chaos.waiting import until


async def replayed(platform: Platform, topic: str, keys: Collection[UUID]) -> LiveReplay:
    """The topic's owner has written these orders' records once more."""
    replay_id = uuid4()
    await live.begin(
        platform.client,
        CATALOG.topics[topic],
        await _extent(platform, topic),
        replay_id=replay_id,
        keys=[str(key) for key in keys],
        types=[],
        per_s=5_000,
        reason="to see that nothing comes of it",
    )
    owner = CATALOG.topics[topic].owner

    async def done() -> LiveReplay | None:
        found = await live.everywhere(platform.client, [owner])
        return next((e for e in found if e.id == replay_id and e.state == "done"), None)

    replay = await until(done, f"the replay of {topic} is done")
    assert replay is not None
    return replay


async def _extent(platform: Platform, topic: str) -> dict[int, Span]:
    bootstrap = platform.environment.kafka.bootstrap
    async with log_reader.opened(topic, bootstrap=bootstrap, client_id="test") as reader:
        return await reader.extent()
