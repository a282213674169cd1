"""An accepted order of which no saga event comes is sent again, and in the end shown to people."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest_asyncio
from sqlalchemy import text

from gateway_service import repository
from gateway_service.handlers import view
from gateway_service.reminding import Reminding, Terms
from tests.integration.gateway.stage import Gateway, gateway_at
from tests.integration.gateway.test_projection import snapshot

AFTER = timedelta(seconds=60)
TERMS = Terms(after=AFTER, within=timedelta(days=1), interval_ms=10, times_max=2)


class Clock:
    """The gateway's clock, which the test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest_asyncio.fixture
async def gateway(database_url: str) -> AsyncIterator[Gateway]:
    async with gateway_at(database_url) as gateway:
        yield gateway


def reminding(gateway: Gateway, clock: Clock) -> Reminding:
    running = gateway.running
    return Reminding(
        running.database, terms=TERMS, clock=clock, registry=running.metrics, log=running.log
    )


async def placed(gateway: Gateway) -> UUID:
    """An order that was accepted, and whose message has left the outbox."""
    order_id = UUID((await gateway.post()).json()["order_id"])
    await published(gateway)
    return order_id


async def published(gateway: Gateway) -> None:
    async with gateway.running.database.transaction() as tx:
        await tx.execute(text("DELETE FROM sagaline.outbox"))


async def heard_of(gateway: Gateway, order_id: UUID) -> None:
    """A saga event of the order was projected."""
    async with gateway.running.database.transaction() as tx:
        shown = view(snapshot(str(order_id), sequence=1), datetime.now(UTC))
        await repository.show(tx, [shown])


async def sent(gateway: Gateway) -> list[tuple[str, UUID]]:
    """Keys and ids of the messages that wait in the outbox."""
    rows = await gateway.rows("SELECT key, message_id FROM sagaline.outbox ORDER BY id")
    return [(row.key, row.message_id) for row in rows]


async def test_an_order_without_a_saga_event_is_sent_again_as_the_same_message(
    gateway: Gateway,
) -> None:
    order_id = UUID((await gateway.post()).json()["order_id"])
    first = await sent(gateway)
    await published(gateway)
    clock = Clock()
    reminder = reminding(gateway, clock)
    assert await reminder.look() == 0  # it is too early to worry
    clock.now += AFTER + timedelta(seconds=1)
    assert await reminder.look() == 1
    assert await sent(gateway) == first == [(str(order_id), first[0][1])]


async def test_an_order_that_was_heard_of_is_left_alone(gateway: Gateway) -> None:
    order_id, clock = await placed(gateway), Clock()
    await heard_of(gateway, order_id)
    clock.now += 10 * AFTER
    assert await reminding(gateway, clock).look() == 0


async def test_an_order_that_still_waits_in_the_outbox_is_not_sent_twice(gateway: Gateway) -> None:
    clock = Clock()
    await gateway.post()
    clock.now += 10 * AFTER
    assert await reminding(gateway, clock).look() == 0
    assert len(await sent(gateway)) == 1


async def test_it_is_sent_again_after_twice_as_long_and_then_given_up(gateway: Gateway) -> None:
    await placed(gateway)
    clock = Clock()
    reminder = reminding(gateway, clock)
    clock.now += AFTER + timedelta(seconds=1)
    assert await reminder.look() == 1
    await published(gateway)
    clock.now += AFTER
    assert await reminder.look() == 0
    clock.now += AFTER + timedelta(seconds=1)
    assert await reminder.look() == 1
    await published(gateway)
    clock.now += 100 * AFTER
    assert await reminder.look() == 0
    assert gateway.figure("sagaline_orders_given_up") == 1
    assert gateway.figure("sagaline_orders_sent_again_total") == 2


async def test_an_order_given_up_that_is_heard_of_is_shown_no_more(gateway: Gateway) -> None:
    await test_it_is_sent_again_after_twice_as_long_and_then_given_up(gateway)
    (row,) = await gateway.rows("SELECT order_id FROM order_request")
    await heard_of(gateway, row.order_id)
    running, clock = gateway.running, Clock()
    clock.now += 200 * AFTER
    registry = type(running.metrics)()
    another = Reminding(
        running.database, terms=TERMS, clock=clock, registry=registry, log=running.log
    )
    assert await another.look() == 0
    assert registry.get_sample_value("sagaline_orders_given_up") == 0


async def test_of_two_gateways_one_sends(gateway: Gateway, database_url: str) -> None:
    for _ in range(3):
        await placed(gateway)
    clock = Clock()
    clock.now += AFTER + timedelta(seconds=1)
    async with gateway_at(database_url) as other:
        first = await reminding(gateway, clock).look()
        second = await reminding(other, clock).look()
    assert (first, second) == (3, 0)
    assert len(await sent(gateway)) == 3
