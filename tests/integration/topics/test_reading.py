"""A topic's log, read from outside: what is seen, in which order, up to where."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from sagaline.chassis import log_reader
from sagaline.chassis.log_reader import KafkaAway, NoSuchTopic
from sagaline.chassis.log_records import LogRecord, Span
from sagaline.local.topics import bounds
from sagaline.local.topics.bounds import At, BoundsApart, NoSuchPartition
from sagaline.local.topics.selection import Selection
from tests.integration.topics.stage import Log
from tests.unit.topics.records import KEY, SAGA_ID

WITHIN_S = 30.0
OTHER_KEY = "0193f1c5-6a2b-7c3d-8e4f-000000000000"
OTHER_SAGA = "22222222-2222-5333-8444-555555555555"


def places(records: list[LogRecord]) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in records]


async def selected(log: Log, selection: Selection) -> list[tuple[int, int]]:
    async with log.reader() as reader:
        return places([record async for record in selection.records(reader)])


async def test_records_of_all_partitions_come_in_the_order_of_their_time(log: Log) -> None:
    for number in range(30):
        await log.write(number * 7 % 3, at_ms=number)
    assert [record.time for record in await log.all()] == [log.time(n) for n in range(30)]


async def test_within_a_partition_the_order_is_the_logs_whatever_the_clocks_said(log: Log) -> None:
    for at_ms in (30, 10, 20):
        await log.write(0, at_ms=at_ms)
    assert places(await log.all()) == [(0, 0), (0, 1), (0, 2)]


async def test_reading_ends_with_what_stood_there_at_its_begin(log: Log) -> None:
    await log.write(0)
    async with log.reader() as reader:
        spans = await reader.extent()
        await log.write(0)
        await log.write(1)
        assert places([record async for record in reader.read(spans)]) == [(0, 0)]


async def test_a_moments_offset_is_that_of_the_first_record_not_before_it(log: Log) -> None:
    for at_ms in (0, 1_000, 2_000):
        await log.write(0, at_ms=at_ms)
    await log.write(1, at_ms=500)
    async with log.reader() as reader:
        assert await reader.offsets_at(log.time(1_000)) == {0: 1, 1: 1, 2: 0}
        spans = await bounds.spans(reader, log.time(500), log.time(2_000))
        assert spans == {0: Span(1, 2), 1: Span(0, 1), 2: Span(0, 0)}


async def test_an_offset_may_name_a_partition_and_then_nothing_else_is_read(log: Log) -> None:
    for partition in (0, 0, 0, 1, 1):
        await log.write(partition)
    async with log.reader() as reader:
        assert await bounds.spans(reader, At(1, partition=0), At(2)) == {0: Span(1, 2)}
        assert await bounds.spans(reader, At(1), None) == {
            0: Span(1, 3),
            1: Span(1, 2),
            2: Span(0, 0),
        }
        with pytest.raises(NoSuchPartition, match="has no partition 3: its partitions are 0 to 2"):
            await bounds.spans(reader, At(1, partition=3), None)
        with pytest.raises(BoundsApart, match="begins in partition 0 and ends in partition 1"):
            await bounds.spans(reader, At(1, partition=0), At(2, partition=1))


async def test_the_newest_records_are_those_that_count(log: Log) -> None:
    for number in range(12):
        await log.write(number % 2, at_ms=number, key=KEY if number % 4 else OTHER_KEY)
    assert await selected(log, Selection(limit=3)) == [(1, 4), (0, 5), (1, 5)]
    others = Selection(limit=2, keys=frozenset({OTHER_KEY}))
    assert await selected(log, others) == [(0, 2), (0, 4)]


async def test_a_range_is_cut_to_its_first_records_that_count(log: Log) -> None:
    for number in range(9):
        await log.write(0, at_ms=number, saga_id=SAGA_ID if number % 2 else OTHER_SAGA)
    of_saga = Selection(first=At(2), limit=2, saga=str(SAGA_ID))
    assert await selected(log, of_saga) == [(0, 3), (0, 5)]


async def test_following_shows_what_stands_there_and_then_what_comes(log: Log) -> None:
    await log.write(0)
    seen: asyncio.Queue[LogRecord] = asyncio.Queue()

    async def follow(selection: Selection) -> None:
        async with log.reader() as reader:
            async for record in selection.records(reader):
                seen.put_nowait(record)

    following = asyncio.create_task(follow(Selection(first=At(0), follow=True)))
    try:
        async with asyncio.timeout(WITHIN_S):
            assert places([await seen.get()]) == [(0, 0)]
            await log.write(1)
            await log.write(0)
            assert sorted(places([await seen.get(), await seen.get()])) == [(0, 1), (1, 0)]
    finally:
        following.cancel()


async def test_following_ends_when_as_many_were_seen_as_were_asked_for(log: Log) -> None:
    async def writing() -> AsyncIterator[None]:
        while True:
            await log.write(2)
            yield

    following = asyncio.create_task(selected(log, Selection(follow=True, limit=2)))
    async with asyncio.timeout(WITHIN_S):
        async for _ in writing():  # it begins with what comes, and nobody tells when that is
            if following.done():
                break
    first, second = await following
    assert second == (2, first[1] + 1)


async def test_what_the_client_cannot_read_is_said_and_the_rest_is_read(log: Log) -> None:
    await log.write(0)
    await log.write_unreadable(0)
    await log.write(0)
    await log.write(1)
    records = await log.all()
    assert sorted(places(records)) == [(0, 0), (0, 1), (0, 2), (1, 0)]
    (unread,) = (record for record in records if record.unread is not None)
    assert places([unread]) == [(0, 1)]
    assert unread.unread is not None
    assert "no UTF-8" in unread.unread


async def test_reading_leaves_no_group_behind(log: Log) -> None:
    await log.write(0)
    before = await groups(log)
    await log.all()
    assert await groups(log) == before


async def groups(log: Log) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=log.bootstrap)
    await admin.start()
    try:
        return {name for name, *_ in await admin.list_consumer_groups()}
    finally:
        await admin.close()


async def test_a_topic_that_is_not_there_and_a_kafka_that_is_away_are_told_apart(log: Log) -> None:
    with pytest.raises(NoSuchTopic, match=r"no topic nowhere\.v1"):
        async with log_reader.opened("nowhere.v1", bootstrap=log.bootstrap, client_id="test"):
            pass
    with pytest.raises(KafkaAway, match=r"127\.0\.0\.1:1 does not answer"):
        async with log_reader.opened("nowhere.v1", bootstrap="127.0.0.1:1", client_id="test"):
            pass
