"""All databases are lost, and come back from one backup, as docs/operations/backup.md tells."""

import asyncio
import random
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from sagaline.local.answers import NotFound
from sagaline.local.client import GATEWAY
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.kafka import Kafka
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.postgres import binary
from sagaline.local.throw_away_platform import throw_away_platform
from sagaline.local.views import Line, NewOrder
from sagaline.testing.platform import Platform
from tests.chaos.databases import connected
from tests.chaos.market import Market
from tests.chaos.programs import run
from tests.chaos.waiting import until

pytestmark = pytest.mark.timeout(600)

ORDERS = 20
TIMEOUT_S = 120.0


@pytest.fixture
def environment(platform_config: PlatformConfig) -> Iterator[EmbeddedPlatform]:
    """One of the test's own, since its Kafka is going to be another one."""
    with throw_away_platform(platform_config, rng=random.SystemRandom(), tell=print) as embedded:
        yield embedded


async def test_what_was_there_at_the_backup_is_there_again_and_goes_on(
    platform: Platform, tmp_path: Path
) -> None:
    market = await Market.open(platform)
    async with market.crowd(ORDERS):
        pass
    await platform.stop(GATEWAY)  # no new orders,
    await drained(platform)  # and none under way
    dumps = [dump(platform, name, tmp_path) for name in services(platform)]
    await platform.start(GATEWAY)
    later = await an_order(platform)

    for name in services(platform):
        await platform.stop(name)
    for name in services(platform):
        platform.embedded.postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await another_kafka(platform)
    for name, file in zip(services(platform), dumps, strict=True):
        restore(platform, file)
        await from_the_begin(platform, name)
    await asyncio.to_thread(topics, platform)
    for name in services(platform):
        await platform.start(name)

    await market.audit()
    with pytest.raises(NotFound):  # it was placed after the backup
        await platform.client.order(later)
    async with market.crowd(ORDERS):
        pass
    await market.audit()


async def an_order(platform: Platform) -> UUID:
    """One that ends, and that no audit is going to ask for."""
    line = Line(sku=await platform.a_sku(), quantity=1)
    customer_id = await platform.a_customer()
    order = NewOrder(customer_id=customer_id, currency="EUR", lines=(line,))
    order_id = await platform.client.place(order)
    assert (await platform.client.ended(order_id, within_s=TIMEOUT_S)).status == "CONFIRMED"
    return order_id


def services(platform: Platform) -> list[str]:
    return [service.name for service in platform.embedded.config.services]


async def drained(platform: Platform) -> None:
    """No saga is under way, no message waits, and every record was handled."""
    assert (await platform.ledger_when_quiet(within_s=TIMEOUT_S)).problems == []

    async def nothing_waits(name: str) -> bool:
        async with connected(platform, name) as session:
            return not await session.fetchval("SELECT count(*) FROM sagaline.outbox")

    for topic in platform.catalog.topics.values():
        if set(topic.readers) & set(services(platform)) - {GATEWAY}:
            await platform.consumed(topic.name, within_s=TIMEOUT_S)
    for name in services(platform):
        await until(partial(nothing_waits, name), f"{name} has sent all it had to")


def dump(platform: Platform, name: str, folder: Path) -> Path:
    file = folder / f"{name}.dump"
    postgres("pg_dump", "--format=custom", f"--file={file}", platform.embedded.postgres.url(name))
    return file


def restore(platform: Platform, file: Path) -> None:
    postgres("pg_restore", "--create", f"--dbname={platform.embedded.postgres.url()}", str(file))


def postgres(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [binary(program), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


async def from_the_begin(platform: Platform, name: str) -> None:
    """The service reads the new topics from where they begin."""
    async with connected(platform, name) as session:
        await session.execute("DELETE FROM sagaline.positions")


async def another_kafka(platform: Platform) -> None:
    """What the topics had was of orders that nobody knows any more: an empty Kafka."""
    kafka = platform.embedded.kafka
    assert isinstance(kafka, Kafka)
    await platform.stop_kafka()
    shutil.rmtree(kafka.directory / "data")
    (kafka.directory / "made").unlink()
    await platform.start_kafka()


def topics(platform: Platform) -> None:
    """All topics exist again."""
    run(platform, GATEWAY, "sagaline.chassis.setup", "topics", *services(platform))
