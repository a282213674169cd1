"""Two gateways beside each other: whoever projects an order, each wakes those who wait in it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest_asyncio

from gateway_service.service import service
from gateway_service.watching import Watching
from sagaline.chassis.consumer import Consumer
from sagaline.chassis.partitioner import partition_of
from sagaline.chassis.running import Running
from sagaline.testing.outages import NotSoon
from tests.integration.gateway.stage import AN_ORDER
from tests.integration.gateway.test_streams import listening
from tests.integration.gateway.test_with_kafka import (
    NOBODY,
    SNAPSHOTS,
    bootstrap,
    publish_outcome,
    settings,
)

__all__ = ["bootstrap"]

# A static member that is gone is missed only when its session is over: this one is soon.
MISSED_SOON = {"kafka_session_timeout_ms": 2_000, "kafka_heartbeat_interval_ms": 200}
PARTITIONS = 4
ORDERS = 10
WITHIN_S = 60.0


class Process:
    """One of the gateways, in this process, with all that a process of its own would have."""

    def __init__(self, running: Running, client: httpx.AsyncClient) -> None:
        self.running = running
        self.client = client

    def projects(self, order: str) -> bool:
        """Whether the snapshots of this order come to it."""
        return (SNAPSHOTS, partition_of(order, PARTITIONS)) in self.running.part(Consumer).held

    @property
    def waiting(self) -> int:
        """How many requests wait in it."""
        return self.running.part(Watching).waiting

    async def order(self) -> str:
        """Place an order."""
        return str((await self.client.post("/orders", json=AN_ORDER)).json()["order_id"])

    async def ended(self, order: str) -> dict[str, object]:
        """The order, by one request that waits for its end."""
        answer = await self.client.get(f"/orders/{order}", headers={"Prefer": "wait=30"})
        shown: dict[str, object] = answer.json()
        return shown

    def figure(self, name: str) -> float:
        """A figure of its metrics; 0 if it was never touched."""
        return self.running.metrics.get_sample_value(name) or 0


@asynccontextmanager
async def process(
    database_url: str, bootstrap: str, slot: int, **others: int
) -> AsyncIterator[Process]:
    chosen = settings(database_url, bootstrap).model_copy(update={"process_slot": slot} | others)
    async with service(chosen).running() as running:
        transport = httpx.ASGITransport(app=running.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Process(running, client)


@pytest_asyncio.fixture
async def gateways(database_url: str, bootstrap: str) -> AsyncIterator[Sequence[Process]]:
    """Two processes of one group, which share the partitions."""
    async with (
        process(database_url, bootstrap, 0) as first,
        process(database_url, bootstrap, 1) as second,
    ):
        both = (first, second)
        await true_soon(lambda: [len(each.running.part(Consumer).held) for each in both] == [2, 2])
        yield both


async def true_soon(condition: Callable[[], bool]) -> None:
    """Wait until it is so. Raises NotSoon."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.02)
    except TimeoutError as late:
        raise NotSoon(f"not so within {WITHIN_S:.0f} s") from late


async def orders_of(projector: Process, placing: Process, count: int) -> list[str]:
    """Orders placed at one gateway whose snapshots come to `projector`."""
    found: list[str] = []
    while len(found) < count:
        order = await placing.order()
        if projector.projects(order):
            found.append(order)
    return found


async def test_an_order_that_the_other_gateway_projects_wakes_who_waits(
    gateways: Sequence[Process], bootstrap: str
) -> None:
    here, there = gateways
    for order in await orders_of(there, here, ORDERS):
        wait = asyncio.create_task(here.ended(order))
        await true_soon(lambda: here.waiting == 1)
        await publish_outcome(bootstrap, order)
        assert (await wait)["status"] == "CONFIRMED"
    # The first of them came before the tail was connected, perhaps.
    assert here.figure("sagaline_tail_records_total") > 0
    assert there.figure("sagaline_tail_records_total") == 0


async def test_only_what_others_project_is_followed(
    gateways: Sequence[Process], bootstrap: str
) -> None:
    here, there = gateways
    (theirs,) = await orders_of(there, here, 1)
    ours = await orders_of(here, here, 3)
    wait = asyncio.create_task(here.ended(theirs))
    await true_soon(lambda: here.waiting == 1)
    assert {each["status"] for each in await ended_all(here, ours, bootstrap)} == {"CONFIRMED"}
    assert here.figure("sagaline_tail_records_total") == 0
    await publish_outcome(bootstrap, theirs)
    assert (await wait)["status"] == "CONFIRMED"


async def ended_all(
    where: Process, orders: Sequence[str], bootstrap: str
) -> list[dict[str, object]]:
    waits = [asyncio.create_task(where.ended(order)) for order in orders]
    await true_soon(lambda: where.waiting >= len(orders))
    for order in orders:
        await publish_outcome(bootstrap, order)
    return await asyncio.gather(*waits)


async def test_a_stream_tells_of_an_order_that_the_other_gateway_projects(
    gateways: Sequence[Process], bootstrap: str
) -> None:
    here, there = gateways
    (order,) = await orders_of(there, here, 1)
    async with listening(here.running.app, order) as listener:
        await true_soon(lambda: listener.told == [("progress", 0)])
        await publish_outcome(bootstrap, order)
        await true_soon(lambda: listener.told == [("progress", 0), ("progress", 3)])


async def test_a_gateway_that_takes_over_wakes_who_waits_in_the_other(
    database_url: str, bootstrap: str
) -> None:
    async with process(database_url, bootstrap, 0) as stays:
        async with process(database_url, bootstrap, 1, **MISSED_SOON) as leaves:
            await true_soon(lambda: len(leaves.running.part(Consumer).held) == PARTITIONS // 2)
            (order,) = await orders_of(leaves, stays, 1)
            wait = asyncio.create_task(stays.ended(order))
            await true_soon(lambda: stays.waiting == 1)
        await true_soon(lambda: stays.projects(order))
        await publish_outcome(bootstrap, order)
        assert (await wait)["status"] == "CONFIRMED"


async def test_a_gateway_without_kafka_finds_what_another_shows(
    database_url: str, bootstrap: str
) -> None:
    async with (
        process(database_url, NOBODY, 1) as cut_off,
        # The slot that worked last: it takes its own place in the group, and waits for nobody.
        process(database_url, bootstrap, 0) as projects,
    ):
        order = await cut_off.order()
        await true_soon(lambda: projects.projects(order))
        wait = asyncio.create_task(cut_off.ended(order))
        await true_soon(lambda: cut_off.waiting == 1)
        await publish_outcome(bootstrap, order)
        assert (await wait)["status"] == "CONFIRMED"
