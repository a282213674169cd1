"""Copies of a topic's records in a topic where nothing reads them but what you point at it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.log_reader import KafkaAway, LogReader
from sagaline.chassis.log_records import LogRecord, Spans
from sagaline.chassis.producer import close
from sagaline.chassis.replay import marks, matches, unmarked
from sagaline.local.topics.broker import CLIENT, Broker

PREFIX = "sandbox."
RETENTION_MS = 24 * 3600 * 1000
BATCH_RECORDS = 500
CLOSE_MS = 1_000
SETTINGS = {
    "retention.ms": str(RETENTION_MS),
    "cleanup.policy": "delete",
    # By the time of the copy: by its own, an old record would be deleted at once.
    "message.timestamp.type": "LogAppendTime",
    # As large as what was published once; headers of ours are added.
    "max.message.bytes": str(2 * 1024 * 1024),
}


class NoSandbox(PlatformError):
    """{name} can't be a sandbox: {reason}."""


@dataclass(slots=True)
class Copied:
    """What of a range was copied so far."""

    copied: int = 0
    passed: int = 0  # of another key or type
    unread: int = 0  # what the client can't read can't be copied


def name_for(topic: str, replay_id: UUID) -> str:
    """Give the sandbox that a replay has when it is told no other."""
    return f"{PREFIX}{topic}.{replay_id.hex[-8:]}"


async def prepare(broker: Broker, catalog: Catalog, name: str, *, partitions: int) -> None:
    """The sandbox exists, with as many partitions; what stood in it stays. Raises NoSandbox."""
    if not name.startswith(PREFIX) or name in catalog.topics:
        raise NoSandbox(name=name, reason=f"its name has to begin with {PREFIX!r}")
    standing = (await broker.topics()).get(name)
    if standing is None:
        await broker.make(name, partitions=partitions, settings=SETTINGS)
    elif len(standing) != partitions:
        reason = f"it stands with {len(standing)} partitions, and {partitions} are needed"
        raise NoSandbox(name=name, reason=reason)


async def copy(
    reader: LogReader,
    spans: Spans,
    name: str,
    *,
    bootstrap: str,
    replay_id: UUID,
    keys: frozenset[str] = frozenset(),
    types: frozenset[str] = frozenset(),
    tell: Callable[[Copied], None] = lambda _: None,
) -> Copied:
    """The records of `spans` stand in `name`: partition, key, bytes and headers, and their origin.

    Raises KafkaAway; then a part of them stands there.
    """
    progress = Copied()
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=CLIENT,
        acks="all",
        enable_idempotence=True,
        max_request_size=2 * 1024 * 1024,
    )
    try:
        await producer.start()
        sent: list[asyncio.Future[object]] = []
        async for record in reader.read(spans):
            if record.unread is not None:
                progress.unread += 1
            elif matches(record, keys=keys, types=types):
                sent.append(await _send(producer, record, name, replay_id))
                progress.copied += 1
            else:
                progress.passed += 1
            if len(sent) >= BATCH_RECORDS:
                await asyncio.gather(*sent)
                sent = []
                tell(progress)
        await asyncio.gather(*sent)
    except KafkaError as error:
        raise KafkaAway(bootstrap=bootstrap, reason=str(error) or type(error).__name__) from error
    finally:
        await close(producer, within_ms=CLOSE_MS)
    tell(progress)
    return progress


async def _send(
    producer: AIOKafkaProducer, record: LogRecord, name: str, replay_id: UUID
) -> "asyncio.Future[object]":
    origin = [(header, text.encode()) for header, text in marks(record, replay_id).items()]
    answer: asyncio.Future[object] = await producer.send(
        name,
        value=record.value,
        key=record.key,
        partition=record.partition,
        headers=[*unmarked(record.headers), *origin],
    )
    return answer
