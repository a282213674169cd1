"""Our records, read by programs that are not ours: Kafka's own, and a CloudEvents library."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

import fastavro
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.base import Format

from sagaline.chassis import log_reader
from sagaline.chassis.log_records import LogRecord
from sagaline.local.views import Order
from sagaline.testing.platform import Platform
from schemas import CATALOG
from schemas.messages import ReserveStock
from tests.integration.topics import console

pytestmark = pytest.mark.timeout(300)

WITHIN_S = 60.0


class Avro(Format):
    """The library keeps an Avro value as it is; what our schemas say is no business of its."""

    def read(self, event_factory: Any, data: str | bytes) -> Any:
        raise NotImplementedError  # of structured mode

    def write(self, event: Any) -> bytes:
        raise NotImplementedError

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:  # noqa: ARG002 - theirs
        assert isinstance(data, bytes)
        return data

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes:  # noqa: ARG002 - theirs
        return body

    def get_content_type(self) -> str:
        return "application/cloudevents+avro"


@pytest.fixture
async def order(platform: Platform) -> Order:
    return await platform.completed_order(within_s=WITHIN_S)


async def records(platform: Platform, topic: str, order: Order) -> list[LogRecord]:
    key = str(order.order_id).encode()
    bootstrap = platform.embedded.kafka.bootstrap
    async with log_reader.opened(topic, bootstrap=bootstrap, client_id="test") as reader:
        every = reader.read(await reader.extent())
        return [record async for record in every if record.key == key]


async def test_kafkas_console_consumer_prints_keys_headers_and_bytes(
    platform: Platform, order: Order
) -> None:
    topic, bootstrap = "inventory.commands.v1", platform.embedded.kafka.bootstrap
    ours = {(each.partition, each.offset): each for each in await records(platform, topic, order)}
    async with log_reader.opened(topic, bootstrap=bootstrap, client_id="test") as reader:
        count = sum(len(span) for span in (await reader.extent()).values())

    printed = await console.consume(bootstrap, topic, records=count)

    theirs = {(each.partition, each.offset): each for each in printed}
    assert len(theirs) == count
    assert ours.keys() <= theirs.keys()
    for place, record in ours.items():
        seen = theirs[place]
        assert seen.key == str(order.order_id).encode()
        assert seen.value == record.value
        headers = dict(text.split(":", 1) for text in seen.headers.split(","))
        assert headers == {name: (value or b"").decode() for name, value in record.headers}
        assert headers["ce_specversion"] == "1.0"
        assert headers["content-type"] == "application/avro"
        assert headers["ce_subject"] == str(order.order_id)


async def test_a_cloudevents_library_takes_the_records_of_every_topic_for_events(
    platform: Platform, order: Order
) -> None:
    for name, topic in CATALOG.topics.items():
        found = await records(platform, name, order)
        assert found or not topic.messages, name
        for record in found:
            headers = {header: value for header, value in record.headers if value is not None}
            assert record.value is not None
            event = from_binary(KafkaMessage(headers, record.key, record.value), Avro())
            assert event.get_specversion() == "1.0"
            assert event.get_type() in topic.messages
            assert event.get_source() == f"/{topic.owner}"
            assert event.get_subject() == str(order.order_id)
            assert event.get_datacontenttype() == "application/avro"
            assert event.get_time() == datetime.fromisoformat(headers["ce_time"].decode())
            assert event.get_data() == record.value
            # And back: what it would send is the event that it was given.
            again = to_binary(event, Avro())
            assert attributes(again.headers) == attributes(headers), name
            assert again.value == record.value


async def test_the_value_is_avro_that_any_library_reads_with_the_schema(
    platform: Platform, order: Order
) -> None:
    record, *_ = await records(platform, "inventory.commands.v1", order)
    assert record.value is not None
    assert record.value[:2] == b"\xc3\x01"
    assert record.value[2:10] == ReserveStock.fingerprint
    schema = fastavro.parse_schema(dict(CATALOG.reader_schema(ReserveStock.avro_name)))
    fields = fastavro.schemaless_reader(BytesIO(record.value[10:]), schema, None)
    assert isinstance(fields, dict)
    assert fields["order_id"] == order.order_id


def attributes(headers: Mapping[str, bytes]) -> dict[str, bytes]:
    """The event's attributes; a time may be written in several ways."""
    # The trace travels beside the event, as OpenTelemetry has it; the key is `partitionkey` there.
    others = ("traceparent", "ce_partitionkey", "ce_time")
    return {name: value for name, value in headers.items() if name not in others}
