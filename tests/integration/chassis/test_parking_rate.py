"""A bad release does not dead-letter a topic: the consumer holds until it is mended."""

from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage

ORDERS = range(1, 21)


async def test_a_release_that_handles_nothing_parks_a_few_and_then_holds(stage: Stage) -> None:
    stage.shop.broken = set(ORDERS)
    await stage.send(*(stage.action(number) for number in ORDERS))
    async with stage.consuming(parked_keys_max=3) as consumer:

        async def holds() -> bool:
            return "SAGALINE_PARKED_KEYS_MAX" in str(consumer.problem)

        await eventually(holds, within_s=20, what="the consumer holds, and says so")
        assert len(await stage.parked()) == 3
        stage.shop.broken = set()  # as after a rollback of the release
        await stage.all_read(within_s=20)

        async def well() -> bool:
            return consumer.problem is None

        await eventually(well, what="the consumer is well again")
    parked = {number for number, _ in await stage.parked()}
    assert len(parked) == 3
    assert await stage.effects() == {(n, "reserved"): 1 for n in ORDERS if n not in parked}
