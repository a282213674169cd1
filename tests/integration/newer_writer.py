"""A writer of a later release: its messages have a field more than those of this one."""

import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from fastavro import parse_schema, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

import schemas
from sagaline.chassis import schema_topic
from sagaline.chassis.catalog import Message
from sagaline.chassis.codec import MARKER


@dataclass(frozen=True, slots=True)
class Newer:
    """A message as the later release writes it, and the schema that it does it in."""

    fingerprint: bytes
    schema: dict[str, Any]
    data: bytes


def newer(message: Message) -> Newer:
    """The message with a field that no release before has."""
    name = f"newer_{uuid4().hex[:8]}"  # of each test its own: what is published stays
    schema = json.loads(json.dumps(schemas.CATALOG.reader_schema(message.avro_name)))
    schema["fields"].append({"name": name, "type": "string", "default": "", "doc": "New."})
    key = bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
    body = BytesIO()
    schemaless_writer(body, parse_schema(dict(schema)), {**message.model_dump(), name: "yes"})
    return Newer(key, schema, MARKER + key + body.getvalue())


async def publish(bootstrap: str, key: bytes, text: bytes | None) -> None:
    """This stands on the schema topic now, under this key; anybody may write there."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(schema_topic.NAME, text, key=key)


async def deploy(bootstrap: str, release: Newer) -> None:
    """The later release's schema is published."""
    await publish(
        bootstrap, release.fingerprint.hex().encode(), json.dumps(release.schema).encode()
    )
