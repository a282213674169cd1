"""Requests share transactions, but neither each other's faults nor an endless queue."""

import asyncio

import pytest
from sqlalchemy import text

from sagaline.chassis.database import open_engine
from sagaline.testing.runtime import OWNER, TestServer
from tests.integration.gateway.stage import (
    AN_ORDER,
    Gateway,
    gateway_at,
    somebody_waits_for_a_lock,
    until,
)

BATCHES = "sagaline_intake_batch_orders_count"


async def locations(gateway: Gateway, count: int) -> set[str]:
    answers = await asyncio.gather(*(gateway.post() for _ in range(count)))
    assert {answer.status_code for answer in answers} == {202}
    return {answer.headers["location"] for answer in answers}


async def test_requests_that_come_together_share_a_few_transactions(gateway: Gateway) -> None:
    assert len(await locations(gateway, 200)) == 200
    assert gateway.figure("sagaline_intake_batch_orders_sum") == 200
    assert gateway.figure(BATCHES) <= 20
    ((transactions,),) = await gateway.rows("SELECT count(DISTINCT xmin::text) FROM order_request")
    assert transactions == gateway.figure(BATCHES)


async def test_a_transaction_takes_no_more_than_is_set(database_url: str) -> None:
    async with gateway_at(database_url, intake_batch_max=10) as gateway:
        await locations(gateway, 100)
        rows = await gateway.rows("SELECT count(*) FROM order_request GROUP BY xmin::text")
        assert max(count for (count,) in rows) <= 10


async def test_orders_stand_in_the_outbox_in_the_order_of_their_ids(gateway: Gateway) -> None:
    await locations(gateway, 100)
    keys = [key for (key,) in await gateway.rows("SELECT key FROM sagaline.outbox ORDER BY id")]
    assert keys == sorted(keys)


async def test_a_full_intake_refuses_and_takes_orders_again_later(
    database_url: str, gateway: Gateway
) -> None:
    async with gateway_at(database_url, intake_waiting_max=5, intake_batch_max=1) as small:
        answers = await asyncio.gather(*(small.post() for _ in range(100)))
        refused = [answer for answer in answers if answer.status_code == 503]
        accepted = [answer for answer in answers if answer.status_code == 202]
        assert refused
        assert len(refused) + len(accepted) == 100
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert refused[0].json()["type"] == "https://sagaline.dev/problems/intake-full"
        assert (await small.post()).status_code == 202
        assert await small.counts() == (len(accepted) + 1, 0, len(accepted) + 1)


async def test_an_order_that_can_not_be_written_does_not_fail_its_neighbours(
    gateway: Gateway, postgres_server: TestServer, database_name: str
) -> None:
    engine = open_engine(
        postgres_server.url(database_name, OWNER), pool_size=1, command_timeout_s=5
    )
    async with engine.begin() as connection:
        unforeseen = "ALTER TABLE order_request ADD CHECK (customer_id <> 'poison')"
        await connection.execute(text(unforeseen))
    await engine.dispose()
    sent = ["c-1", "poison", "c-2", "poison", "c-3"]
    answers = await asyncio.gather(
        *(gateway.post(AN_ORDER | {"customer_id": each}, key="k") for each in sent)
    )
    assert [answer.status_code for answer in answers] == [202, 500, 202, 500, 202]
    assert await gateway.counts() == (3, 3, 3)


async def test_a_client_that_goes_away_while_it_waits_leaves_no_order(gateway: Gateway) -> None:
    async with gateway.running.database.transaction() as tx:
        await tx.execute(text("LOCK TABLE order_request IN EXCLUSIVE MODE"))
        written = asyncio.create_task(gateway.post())
        await somebody_waits_for_a_lock(gateway)
        gone = asyncio.create_task(gateway.post())
        await until(lambda: gateway.intake.waiting == 1)
        gone.cancel()
    assert (await written).status_code == 202
    with pytest.raises(asyncio.CancelledError):
        await gone
    await gateway.post()
    assert await gateway.counts() == (2, 0, 2)


async def test_a_stopping_gateway_writes_what_waits_and_takes_no_more(gateway: Gateway) -> None:
    async with gateway.running.database.transaction() as tx:
        await tx.execute(text("LOCK TABLE order_request IN EXCLUSIVE MODE"))
        first = asyncio.create_task(gateway.post())
        await somebody_waits_for_a_lock(gateway)
        others = [asyncio.create_task(gateway.post()) for _ in range(9)]
        await until(lambda: gateway.intake.waiting == len(others))
        gateway.intake.close()
        late = await gateway.post()
    assert (late.status_code, late.headers["retry-after"]) == (503, "1")
    assert late.json()["type"] == "https://sagaline.dev/problems/intake-closed"
    answers = await asyncio.gather(first, *others)
    assert {answer.status_code for answer in answers} == {202}
    assert (await gateway.counts())[0] == len(answers)
