"""A writer that was deployed before its readers makes no poison of good records."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from sagaline.chassis import schema_topic
from sagaline.chassis.catalog import Message
from sagaline.chassis.database import Transaction
from schemas.messages import ReserveStock
from tests.integration.chassis.parcels import Parcel, order
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage
from tests.integration.newer_writer import Newer, deploy, newer


def newer_action(stage: Stage, number: int) -> tuple[Newer, Parcel]:
    """The action on this order, by an orchestrator of a later release."""
    release = newer(ReserveStock(order_id=order(number), currency="EUR", lines=()))
    return release, replace(stage.action(number), value=release.data)


async def topic_stands(stage: Stage) -> None:
    await schema_topic.publish(
        stage.codec, service=stage.service, bootstrap=stage.bootstrap, replicas=1, timeout_ms=10_000
    )


async def test_a_partition_waits_for_the_schema_of_its_next_record_and_goes_on(
    stage: Stage,
) -> None:
    await topic_stands(stage)
    release, parcel = newer_action(stage, 1)
    await stage.send(stage.action(9), parcel, stage.action(5), stage.action(2))
    async with stage.consuming(schema_wait_max_ms=60_000) as consumer:

        async def others_go_on() -> bool:
            return set(await stage.effects()) == {(9, "reserved"), (2, "reserved")}

        await eventually(others_go_on, within_s=20, what="what needs no schema is handled")
        assert release.fingerprint.hex() in str(consumer.problem)
        await deploy(stage.bootstrap, release)
        await stage.all_read(within_s=20)

        async def well() -> bool:
            return consumer.problem is None

        await eventually(well, within_s=20, what="nothing is complained of")
    assert await stage.parked() == []
    assert await stage.effects() == {(number, "reserved"): 1 for number in (1, 2, 5, 9)}


async def test_what_waited_to_the_limit_is_parked(stage: Stage) -> None:
    await topic_stands(stage)
    _, parcel = newer_action(stage, 1)
    await stage.send(parcel, stage.action(5))
    async with stage.consuming(schema_wait_max_ms=500):
        await stage.all_read(within_s=20)
    assert await stage.parked() == [(1, "UnknownFingerprint")]
    assert await stage.effects() == {(5, "reserved"): 1}


async def test_a_queue_full_of_what_waits_stops_no_other_partition(stage: Stage) -> None:
    await topic_stands(stage)
    release, parcel = newer_action(stage, 1)
    async with stage.consuming(schema_wait_max_ms=60_000, queue_rows_max=4, batch_rows_max=2):
        await stage.send(parcel, *(stage.action(number) for number in (5, 9, 13, 17, 21, 25)))
        for number in (2, 6, 10, 14):
            await stage.send(stage.action(number))

        async def others_go_on() -> bool:
            return {(n, "reserved") for n in (2, 6, 10, 14)} <= set(await stage.effects())

        await eventually(others_go_on, within_s=20, what="the other partition is handled")
        await deploy(stage.bootstrap, release)
        await stage.all_read(within_s=20)
    assert await stage.parked() == []
    assert len(await stage.effects()) == 11


async def test_the_queue_is_bounded_after_a_wait_too(stage: Stage) -> None:
    await topic_stands(stage)
    release, parcel = newer_action(stage, 1)
    go_on = asyncio.Event()

    async def stands_still(_tx: Transaction, _batch: Sequence[Message]) -> None:
        await go_on.wait()

    async with stage.consuming(
        schema_wait_max_ms=60_000, queue_rows_max=4, batch_rows_max=2
    ) as consumer:
        await stage.send(parcel, *(stage.action(number) for number in (5, 9, 13, 17, 21)))

        async def waits() -> bool:
            return release.fingerprint.hex() in str(consumer.problem)

        await eventually(waits, what="the partition waits")
        stage.shop.before = stands_still
        await deploy(stage.bootstrap, release)
        await eventually(lambda: stage.shop.batches, what="a batch is in hand")
        await stage.send(*(stage.action(number) for number in range(2, 80) if number % 4 != 1))
        session = consumer._session
        assert session is not None

        def all_paused() -> bool:
            return bool(session._kafka.paused() == session._kafka.assignment())

        await eventually(all_paused, what="fetching has paused", within_s=20)
        assert len(session._waiting) < 20
        go_on.set()
        await stage.all_read(within_s=30)
    assert len(await stage.effects()) == len({1, 5, 9, 13, 17, 21}) + 59
