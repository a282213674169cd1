"""Servers that are away for a while: everything goes on by itself, and nothing happens twice."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from sagaline.local import throwaway
from sagaline.local.kafka import Kafka
from sagaline.local.postgres import Postgres
from sagaline.local.provisioning import provision
from sagaline.testing.runtime import TestServer
from tests.integration.chassis import stage as stages
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.shop import once
from tests.integration.chassis.stage import Stage

ORDERS = range(1, 21)


@pytest.fixture
def kafka() -> Iterator[Kafka]:
    with throwaway.kafka(random.SystemRandom()) as server:
        yield server


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with throwaway.postgres(random.SystemRandom()) as server:
        provision(server, ["shop"])
        yield server


@asynccontextmanager
async def staged(url: str, bootstrap: str) -> AsyncIterator[Stage]:
    stage = Stage("shop", url, bootstrap)
    try:
        yield stage
    finally:
        await stage.close()


async def test_kafka_is_away_for_a_while(
    postgres_server: TestServer, chassis_template: str, kafka: Kafka
) -> None:
    postgres_server.create_database("kafka_away", template=chassis_template)
    async with staged(postgres_server.url("kafka_away"), kafka.bootstrap) as stage:
        await stage.send(*(stage.action(number) for number in ORDERS))
        async with stage.consuming() as consumer:
            await stage.all_read()
            await asyncio.to_thread(kafka.stop)
            await eventually(lambda: "Kafka" in str(consumer.problem), what="it says what is away")
            await asyncio.to_thread(kafka.start)
            await stage.send(*(stage.action(number) for number in ORDERS), stage.action(21))
            await stage.all_read(within_s=30)
            await eventually(lambda: consumer.healthy, what="healthy")
            await stage.relay_everything()

            async def all_committed() -> bool:
                return await stage.committed() == await stage.positions()

            await eventually(all_committed, what="committed", within_s=20)
        assert await stage.effects() == {(number, "reserved"): 1 for number in (*ORDERS, 21)}


async def test_the_database_is_killed_in_mid_batch(
    kafka_bootstrap: str, postgres: Postgres
) -> None:
    await stages.migrated(postgres.url("shop", "shop_owner"))

    async def killed(_tx: Transaction, _batch: Sequence[Message]) -> None:
        await asyncio.to_thread(postgres.kill)
        restarts.append(asyncio.create_task(asyncio.to_thread(postgres.start)))

    restarts: list[asyncio.Task[None]] = []
    async with staged(postgres.url("shop", "shop_app"), kafka_bootstrap) as stage:
        stage.shop.after = once(killed)
        await stage.send(*(stage.action(number) for number in ORDERS))
        async with stage.consuming() as consumer:
            await eventually(lambda: restarts, what="the kill")
            await eventually(lambda: not consumer.healthy, what="the consumer says so")
            await asyncio.gather(*restarts)
            await stage.all_read(within_s=20)
        assert await stage.effects() == {(number, "reserved"): 1 for number in ORDERS}
        assert await stage.parked() == []
