"""Effects through a whole consumer: a provider that is away or slow, and a stop."""

import asyncio

from sagaline.chassis import wiring
from tests.integration.chassis.effects.bank import Bank
from tests.integration.chassis.effects.dying import WITHIN_S, open_intents
from tests.integration.chassis.effects.paying_shop import PayingShop
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage, running


async def test_a_provider_that_is_away_parks_nobody(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.mood = "away"
    orders = range(1, 41)
    await stage.send(*(stage.action(number) for number in orders))
    service = stage.running(kafka_session_timeout_ms=10_000)  # rebalances are no matter here
    tables = {stage.commands: shop.handlers}

    async def readiness() -> str:
        return str((await service.health.problems())["bank"])

    async def names_the_bank() -> bool:
        return (await readiness()).startswith("bank can't be used now")

    consumer = wiring.consumer_of(service, tables, wiring.inbox_of(service, tables))
    async with running(consumer):
        await eventually(names_the_bank, what="it says who is away", within_s=WITHIN_S)
        await eventually(lambda: bank.asked.total() >= 3, what="probes", within_s=WITHIN_S)
        assert await stage.answers() == []
        bank.mood = "well"
        await stage.all_read(within_s=2 * WITHIN_S)
        await eventually(lambda: consumer.healthy, what="healthy", within_s=WITHIN_S)
        assert await readiness() == "None"
    assert await stage.effects() == {(number, "reserved"): 1 for number in orders}
    assert await stage.parked() == []
    assert set(bank.charged.values()) == {1}


async def test_a_provider_that_is_slower_than_the_deadline(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    bank.moods = {1: "silent"}
    await stage.handle_all(stage.action(1), stage.action(2), within_s=WITHIN_S)
    assert await stage.effects() == {(1, "reserved"): 1, (2, "reserved"): 1}
    assert await stage.parked() == []
    assert bank.calls == {"1 action": 1, "2 action": 1}  # asked about, not called again


async def test_a_consumer_that_stops_ends_what_it_called_for_and_calls_for_no_more(
    stage: Stage, bank: Bank, shop: PayingShop
) -> None:
    orders = range(1, 41)
    bank.mood = "silent"
    await stage.send(*(stage.action(number) for number in orders))
    async with stage.consuming(
        revoke_timeout_ms=30_000, kafka_session_timeout_ms=10_000
    ) as consumer:
        async with asyncio.timeout(WITHIN_S):
            await bank.arrived.wait()
        session = consumer._session
        assert session is not None
        leaving = asyncio.create_task(session.close())
        await eventually(lambda: session._holding.cursors.leaving, what="it leaves")
        bank.mood = "well"
        bank.let_go.set()
        await leaving
        called = set(bank.calls)
        assert 0 < len(called) <= shop.port.calls_max
        assert await open_intents(stage) == 0
    await stage.handle_all(within_s=WITHIN_S)
    assert await stage.effects() == {(number, "reserved"): 1 for number in orders}
    assert set(bank.calls.values()) == {1}
