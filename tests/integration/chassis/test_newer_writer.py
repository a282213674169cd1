"""A writer that was deployed before its readers makes no poison of good records."""

from dataclasses import replace

from sagaline.chassis import schema_topic
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

        await eventually(well, within_s=10, what="nothing is complained of")
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
