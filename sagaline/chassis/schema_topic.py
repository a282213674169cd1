"""The schema topic: what records are written in, for readers that are older than their writers.

See docs/architecture.md, "Schemas". A deployment publishes the schemas that its service writes in
before the service runs; keyed by fingerprint, compacted, one partition, never deleted from.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import messages as platform
from sagaline.chassis import producer, topics
from sagaline.chassis.catalog import Catalog
from sagaline.chassis.client_end import close_consumer
from sagaline.chassis.codec import Codec
from sagaline.chassis.foreign_schema import SchemaRefused, accepted

NAME = "sagaline.schemas.v1"
PLACE = TopicPartition(NAME, 0)
CLOSE_MS = 1_000


def written_by(catalog: Catalog, service: str) -> Iterator[bytes]:
    """Fingerprints of the schemas in which this release of `service` writes."""
    own = {message.avro_name: message for message in platform.MESSAGES}
    types = {**catalog.messages, **own}
    for each in catalog.topics.values():
        if each.owner == service:
            yield from (types[name].fingerprint for name in each.messages)


async def publish(
    codec: Codec, *, service: str, bootstrap: str, replicas: int, timeout_ms: int
) -> int:
    """Every schema that `service` writes in stands on the topic; says how many are new there.

    Raises KafkaError, TimeoutError, or what `topics.make` raises.
    """
    topic = NewTopic(NAME, 1, replicas, topic_configs={"cleanup.policy": "compact"})
    await topics.make([topic], bootstrap=bootstrap, service=service, timeout_ms=timeout_ms)
    standing = await _texts(bootstrap, timeout_ms)
    wanted = set(written_by(codec.catalog, service))
    missing = sorted(key for key in wanted if standing.get(key) != codec.schema_text(key))
    if missing:
        texts = {key: codec.schema_text(key) for key in missing}
        await write(
            texts, bootstrap=bootstrap, client_id=f"{service}-schemas", within_ms=timeout_ms
        )
    return len(missing)


async def write(
    texts: Mapping[bytes, bytes], *, bootstrap: str, client_id: str, within_ms: int
) -> None:
    """These texts, by fingerprint, stand on the topic. Raises KafkaError or TimeoutError."""
    kafka = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=within_ms,
    )
    try:
        async with asyncio.timeout(within_ms / 1000):
            await kafka.start()
            for key, text in texts.items():
                await kafka.send_and_wait(NAME, text, key=key.hex().encode(), partition=0)
    finally:
        # Also when the start was cut off, which `async with` leaves open, or Kafka is silent, which
        # stop() has no end with. All that was to be sent is acked, or given up.
        await producer.close(kafka, within_ms=CLOSE_MS)


async def read(
    wanted: Collection[bytes], *, bootstrap: str, timeout_ms: int, log: FilteringBoundLogger
) -> dict[bytes, Mapping[str, object]]:
    """The schemas of these fingerprints that are published; one that can't be used is passed over.

    Raises KafkaError or TimeoutError.
    """
    texts = await _texts(bootstrap, timeout_ms)
    found: dict[bytes, Mapping[str, object]] = {}
    for key in sorted(texts.keys() & wanted):
        try:
            found[key] = accepted(texts[key], key)
        except SchemaRefused as refused:
            log.warning("schema passed over", reason=str(refused))
    return found


async def _texts(bootstrap: str, timeout_ms: int) -> dict[bytes, bytes]:
    """The newest text of each fingerprint; what is keyed by something else is left out."""
    kafka = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, request_timeout_ms=timeout_ms
    )
    texts: dict[bytes, bytes] = {}
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            await kafka.start()
            kafka.assign([PLACE])
            await kafka.seek_to_beginning(PLACE)
            end = (await kafka.end_offsets([PLACE]))[PLACE]
            while await kafka.position(PLACE) < end:
                for record in (await kafka.getmany(PLACE, timeout_ms=200)).get(PLACE, []):
                    if (key := _fingerprint(record.key)) is not None and record.value is not None:
                        texts[key] = record.value
    finally:
        # Also when the start was cut off, which `async with` leaves open.
        await close_consumer(kafka, within_ms=CLOSE_MS)
    return texts


def _fingerprint(key: bytes | None) -> bytes | None:
    try:
        found = bytes.fromhex((key or b"").decode("ascii"))
    except ValueError:
        return None
    return found if len(found) == 8 else None  # CRC-64
