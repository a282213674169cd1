"""When a record waits for its schema, and for how long."""

import asyncio
from collections.abc import Collection, Mapping

import pytest
import structlog
from aiokafka.errors import KafkaConnectionError

import schemas
from sagaline.chassis.batch import Raw
from sagaline.chassis.codec import Codec
from sagaline.chassis.schema_wait import SchemaWait
from schemas.messages import ReserveStock

WITHIN_S = 20
NEW = b"newer!!!"


def raw(value: bytes | None) -> Raw:
    return Raw("inventory.commands.v1", 0, 7, b"key", (), value)


UNREADABLE = raw(b"\xc3\x01" + NEW + b"body")


class Published:
    """The schema topic, whose readings the test counts; it fails `failing` times first."""

    def __init__(self, *, failing: int = 0) -> None:
        self.schemas: dict[bytes, Mapping[str, object]] = {}
        self.readings = 0
        self.failing = failing

    async def read(self, wanted: Collection[bytes]) -> Mapping[bytes, Mapping[str, object]]:
        self.readings += 1
        if self.readings <= self.failing:
            raise KafkaConnectionError
        return {key: schema for key, schema in self.schemas.items() if key in wanted}


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def waiting(codec: Codec, published: Published, clock: Clock) -> SchemaWait:
    return SchemaWait(
        codec,
        published.read,
        limit_ms=60_000,
        backoff_ms=1,
        backoff_max_ms=2,
        clock_s=clock,
        log=structlog.get_logger(),
    )


async def looked(wait: SchemaWait, times: int) -> None:
    """The schema topic was read so often, and what waits was looked at again."""
    looks = 0
    enough = asyncio.Event()

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == times:
            enough.set()

    running = asyncio.create_task(wait.run(look))
    try:
        async with asyncio.timeout(WITHIN_S):
            await enough.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_record_waits_until_its_schema_is_published() -> None:
    codec, published, clock = Codec(schemas.CATALOG), Published(), Clock()
    wait = waiting(codec, published, clock)
    assert wait.holds(UNREADABLE)
    assert NEW.hex() in str(wait.problem)
    await looked(wait, 3)
    assert wait.holds(UNREADABLE)
    published.schemas[NEW] = schemas.CATALOG.reader_schema(ReserveStock.avro_name)
    await looked(wait, 1)
    assert not wait.holds(UNREADABLE)
    assert wait.problem is None


async def test_an_outage_of_kafka_is_waited_out() -> None:
    published = Published(failing=3)
    published.schemas[NEW] = schemas.CATALOG.reader_schema(ReserveStock.avro_name)
    wait = waiting(Codec(schemas.CATALOG), published, Clock())
    assert wait.holds(UNREADABLE)
    await looked(wait, 4)
    assert not wait.holds(UNREADABLE)


async def test_when_the_limit_is_over_nothing_waits_and_the_schema_may_still_come() -> None:
    codec, published, clock = Codec(schemas.CATALOG), Published(), Clock()
    wait = waiting(codec, published, clock)
    assert wait.holds(UNREADABLE)
    clock.now_s = 60.0
    assert not wait.holds(UNREADABLE)
    assert wait.problem is None
    assert codec.unknown_in(UNREADABLE.value) == NEW  # to be parked
    published.schemas[NEW] = schemas.CATALOG.reader_schema(ReserveStock.avro_name)
    await looked(wait, 1)
    assert codec.unknown_in(UNREADABLE.value) is None


async def test_a_type_that_this_release_lacks_waits_for_the_limit_only() -> None:
    published, clock = Published(), Clock()
    published.schemas[NEW] = {"type": "record", "name": "N", "namespace": "x", "fields": []}
    wait = waiting(Codec(schemas.CATALOG), published, clock)
    assert wait.holds(UNREADABLE)
    await looked(wait, 2)
    assert wait.holds(UNREADABLE)
    clock.now_s = 61.0
    assert not wait.holds(UNREADABLE)


@pytest.mark.parametrize("value", [None, b"", b"no encoding", b"\xc3\x01short"])
async def test_what_no_schema_would_help_does_not_wait(value: bytes | None) -> None:
    wait = waiting(Codec(schemas.CATALOG), Published(), Clock())
    assert not wait.holds(raw(value))
    assert wait.problem is None
