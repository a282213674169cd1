"""A position that is not in the log holds its partition, loudly; nothing is jumped over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from sagaline.chassis.consumer import Consumer
from sagaline.chassis.database import Transaction
from tests.integration.chassis.parcels import Parcel
from tests.integration.chassis.rows import eventually
from tests.integration.chassis.stage import Stage


async def with_position(stage: Stage, partition: int, position: int) -> None:
    """The service believes to have read the partition up to `position`."""
    await stage.query(
        "INSERT INTO sagaline.positions (topic, partition, next_offset, epoch)"
        " VALUES (:topic, :partition, :position, 1)"
        " ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
        {"topic": stage.commands, "partition": partition, "position": position},
    )


async def holds(consumer: Consumer, stage: Stage, partition: int) -> None:
    """The consumer says that it lost its position in this partition."""
    where = f"{stage.commands}/{partition}"
    await eventually(lambda: where in str(consumer.problem), what=f"a problem at {where}")
    assert not consumer.healthy


async def test_a_position_beyond_the_end(stage: Stage) -> None:
    await with_position(stage, 1, 100)
    await stage.send(stage.action(1), stage.action(2))
    async with stage.consuming() as consumer:
        await holds(consumer, stage, 1)
        await eventually(lambda: effect_of(stage, 2), what="others flow")
        await stage.send(stage.action(5), stage.action(6))
        await eventually(lambda: effect_of(stage, 6), what="others flow")
        await holds(consumer, stage, 1)
    assert await stage.effects() == {(2, "reserved"): 1, (6, "reserved"): 1}
    assert (await stage.positions())[1] == 100


async def test_a_position_before_the_beginning(stage: Stage) -> None:
    await stage.handle_all(stage.action(1), stage.action(2))
    await stage.send(stage.action(5), stage.action(9), stage.action(13))
    await stage.delete_records(1, before=3)
    async with stage.consuming() as consumer:
        await holds(consumer, stage, 1)
        await stage.send(stage.action(6))
        await eventually(lambda: effect_of(stage, 6), what="others flow")
    assert await stage.effects() == dict.fromkeys([(n, "reserved") for n in (1, 2, 6)], 1)
    assert (await stage.positions())[1] == 1


async def test_a_log_that_begins_where_we_stand_is_read_on(stage: Stage) -> None:
    await stage.handle_all(stage.action(1), stage.action(5))
    await stage.delete_records(1, before=2)
    await stage.handle_all(stage.action(9))
    assert (await stage.effects())[9, "reserved"] == 1


async def test_a_lost_position_is_not_committed_as_answered(stage: Stage) -> None:
    # A timer would take all commands up to there for handled.
    await with_position(stage, 1, 100)
    await stage.send(stage.action(1), stage.action(2))
    async with stage.consuming():
        await eventually(lambda: effect_of(stage, 2), what="others flow")
        await stage.relay_everything()

        async def others_are_committed() -> bool:
            return (await stage.committed()).get(2) == 1

        await eventually(others_are_committed, what="committed")
    assert (await stage.committed()).get(1, 0) == 0


async def test_the_queue_is_bounded_beside_a_lost_position(stage: Stage) -> None:
    await with_position(stage, 1, 100)
    await stage.send(*(stage.action(2 + 4 * number) for number in range(100)))
    async with full(stage) as (consumer, _):
        assert waiting(consumer) <= QUEUE_MAX
    await stage.handle_all()
    assert len(await stage.effects()) == 100


async def test_records_that_are_deleted_before_they_are_fetched(stage: Stage) -> None:
    # The fetcher starts again at what the log begins with now; which is no gap as any other.
    await stage.send(*(stage.action(4 * number) for number in range(1, 100)))
    async with full(stage) as (consumer, go_on):
        await stage.send(*(stage.action(1 + 4 * number) for number in range(3)))
        await stage.delete_records(1, before=2)
        go_on.set()
        await holds(consumer, stage, 1)
        await eventually(lambda: effect_of(stage, 396), what="others flow")
    assert (await stage.positions())[1] == 0
    assert not await effect_of(stage, 9)


QUEUE_MAX = 20


async def test_a_header_name_that_is_no_utf8_stops_its_partition(stage: Stage) -> None:
    await stage.send(stage.action(1), stage.action(2), stage.action(5))
    await send_unreadable(stage, stage.action(9))
    await stage.send(stage.action(13), stage.action(6))
    async with stage.consuming() as consumer:
        await holds(consumer, stage, 1)
        assert "record at 2:" in str(consumer.problem)
        await eventually(lambda: effect_of(stage, 6), what="others flow")
        await eventually(lambda: effect_of(stage, 5), what="what stands before it is handled")
        await stage.send(stage.action(10))
        await eventually(lambda: effect_of(stage, 10), what="others flow")
        await holds(consumer, stage, 1)
    assert await stage.effects() == dict.fromkeys([(n, "reserved") for n in (1, 2, 5, 6, 10)], 1)
    assert (await stage.positions())[1] == 2


@asynccontextmanager
async def full(stage: Stage) -> AsyncIterator[tuple[Consumer, asyncio.Event]]:
    """A consumer whose queue is full, so that it fetches nothing, until the event is set."""
    go_on = asyncio.Event()

    async def wait(_tx: Transaction, _batch: object) -> None:
        await go_on.wait()

    def fetches_nothing() -> bool:
        kafka = consumer._session and consumer._session._kafka
        return bool(kafka and kafka.assignment() and kafka.assignment() == kafka.paused())

    stage.shop.before = wait
    async with stage.consuming(batch_rows_max=10, queue_rows_max=QUEUE_MAX) as consumer:
        await eventually(fetches_nothing, what="nothing is fetched any more")
        try:
            await eventually(fetches_nothing, what="nothing is fetched any more")
            yield consumer, go_on
        finally:
            go_on.set()


async def effect_of(stage: Stage, number: int) -> bool:
    """The order was handled."""
    return (number, "reserved") in await stage.effects()


def waiting(consumer: Consumer) -> int:
    """How many records wait in the consumer."""
    return len(consumer._session._waiting) if consumer._session else 0


class Latin(str):
    """A header's name in another encoding, as a client in C may write it."""

    def encode(self, *_: object) -> bytes:
        return super().encode("latin-1")


async def send_unreadable(stage: Stage, parcel: Parcel) -> None:
    """The parcel stands in the log, with one header more, whose name is no UTF-8."""
    producer = AIOKafkaProducer(bootstrap_servers=stage.bootstrap)
    await producer.start()
    try:
        batch = producer.create_batch()
        # The builder in C takes no names but those that it encodes itself.
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 16_384)
        headers = [*parcel.headers, (Latin("Stra\xdfe"), b"")]
        batch.append(timestamp=None, key=parcel.key, value=parcel.value, headers=headers)
        await (await producer.send_batch(batch, stage.commands, partition=parcel.partition))
    finally:
        await producer.stop()
