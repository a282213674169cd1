"""The gateway's database goes away and comes back, on a PostgreSQL of the test's own."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from sagaline.local import throwaway
from sagaline.local.postgres import Postgres
from sagaline.local.provisioning import provision
from tests.integration.gateway.stage import Gateway, gateway_at, migrated

DATABASE = "gateway_service"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server that may be stopped."""
    with throwaway.postgres(random.SystemRandom()) as server:
        provision(server, [DATABASE])
        asyncio.run(migrated(server.url(DATABASE, f"{DATABASE}_owner")))
        yield server


@pytest_asyncio.fixture
async def on_it(postgres: Postgres) -> AsyncIterator[Gateway]:
    """A gateway on that server."""
    url = postgres.url(DATABASE, f"{DATABASE}_app")
    async with gateway_at(url, database_timeout_ms=1_000) as gateway:
        yield gateway


async def test_without_its_database_each_request_gets_a_503_until_it_is_back(
    on_it: Gateway, postgres: Postgres
) -> None:
    before = await on_it.post(key="before")
    await asyncio.to_thread(postgres.stop)
    away = await asyncio.gather(*(on_it.post(key=f"key {n}") for n in range(20)))
    assert {answer.status_code for answer in away} == {503}
    assert {answer.headers["retry-after"] for answer in away} == {"1"}
    assert away[0].json()["type"] == "https://sagaline.dev/problems/orders-unavailable"
    shown = await on_it.client.get(before.headers["location"])
    assert (shown.status_code, shown.headers["retry-after"]) == (503, "1")

    await asyncio.to_thread(postgres.start)
    again = await retried(on_it, [f"key {n}" for n in range(20)])
    assert len(again) == 20
    assert (await on_it.post(key="before")).json() == before.json()
    assert await on_it.counts() == (21, 21, 21)


async def test_a_killed_database_costs_no_order_and_doubles_none(
    on_it: Gateway, postgres: Postgres
) -> None:
    orders, keys, messages = await on_it.counts()
    posts = [asyncio.create_task(on_it.post(key=f"killed {n}")) for n in range(100)]
    await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.to_thread(postgres.kill)
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} <= {202, 503}

    await asyncio.to_thread(postgres.start)
    known = await retried(on_it, [f"killed {n}" for n in range(100)])
    accepted = {a.headers["location"] for a in answers if a.status_code == 202}
    assert accepted <= known
    assert await on_it.counts() == (orders + 100, keys + 100, messages + 100)


async def retried(gateway: Gateway, keys: list[str]) -> set[str]:
    """Locations of the orders with these keys, each asked for until it is accepted."""
    locations: set[str] = set()
    async with asyncio.timeout(30):
        for key in keys:
            answer = await gateway.post(key=key)
            while answer.status_code == 503:
                answer = await gateway.post(key=key)
            assert answer.status_code == 202
            locations.add(answer.headers["location"])
    return locations
