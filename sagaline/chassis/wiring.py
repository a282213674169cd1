"""The chassis' parts, made from a service's settings, catalog and handlers. Nothing is opened."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import schema_topic
from sagaline.chassis.catalog import Catalog
from sagaline.chassis.codec import Codec
from sagaline.chassis.commands import Commands
from sagaline.chassis.consumer import Consumer
from sagaline.chassis.dead_letters import DeadLetters
from sagaline.chassis.discarding import Discarding
from sagaline.chassis.handlers import Consumes, EffectTable
from sagaline.chassis.horizon import Horizon
from sagaline.chassis.inbox import Inbox
from sagaline.chassis.inbox_metrics import InboxMetrics, LagMetrics
from sagaline.chassis.outbox import Outbox
from sagaline.chassis.outside_wiring import outside_of
from sagaline.chassis.parking import Parking
from sagaline.chassis.parking_rate import ParkingRate
from sagaline.chassis.relay import Relay, RelayLimits
from sagaline.chassis.running import Running
from sagaline.chassis.schema_wait import SchemaWait
from sagaline.chassis.session import Limits
from sagaline.chassis.settings import ServiceSettings
from sagaline.chassis.sorter import Sorter

if TYPE_CHECKING:
    from sagaline.chassis.span_export import SpanExport
    from sagaline.chassis.spans import Spans


def span_export_of(settings: ServiceSettings, registry: CollectorRegistry) -> "SpanExport | None":
    """What sends the service's spans; None where nobody collects them."""
    if settings.otlp_endpoint is None:
        return None
    # Here, since OpenTelemetry's SDK comes with it: who needs no spans needs not have it.
    from sagaline.chassis.span_export import SpanExport

    return SpanExport(settings, settings.otlp_endpoint, registry)


def now() -> datetime:
    """The wall clock, aware and in UTC."""
    return datetime.now(UTC)


def outbox_of(settings: ServiceSettings, codec: Codec, spans: "Spans | None" = None) -> Outbox:
    """The writer of the service's outbox."""
    return Outbox(
        codec,
        service=settings.service,
        message_bytes_max=settings.message_bytes_max,
        clock=now,
        spans=spans,
    )


def relay_of(
    settings: ServiceSettings,
    outbox: Outbox,
    *,
    registry: CollectorRegistry,
    log: FilteringBoundLogger,
    spans: "Spans | None" = None,
) -> Relay:
    """The drainer of the service's outbox."""
    return Relay(
        database_url=settings.database_url.get_secret_value(),
        bootstrap=settings.kafka_bootstrap,
        outbox=outbox,
        owner=settings.process_name,
        registry=registry,
        log=log.bind(part="relay"),
        clock=now,
        spans=spans,
        limits=RelayLimits(
            rows_max=settings.relay_rows_max,
            poll_min_ms=settings.relay_poll_min_ms,
            poll_max_ms=settings.relay_poll_max_ms,
            lock_poll_ms=settings.relay_lock_poll_ms,
            idle_session_timeout_ms=settings.relay_idle_session_timeout_ms,
            backoff_first_ms=settings.backoff_first_ms,
            backoff_max_ms=settings.backoff_max_ms,
            drain_ms=settings.relay_drain_ms,
            unpublishable_tries_max=settings.relay_tries_max,
        ),
    )


def consumer_of(running: Running, consumes: Consumes, inbox: Inbox) -> Consumer:
    """The reader of the service's topics, which hands their records to the inbox."""
    settings = running.settings
    tables = _tables(consumes)
    consumer = Consumer(
        inbox,
        running.database,
        bootstrap=settings.kafka_bootstrap,
        group=settings.service,
        process=settings.process_name,
        static=settings.process_slot is not None,
        topics=consumes.keys(),
        command_topics=tables.keys(),
        session_timeout_ms=settings.kafka_session_timeout_ms,
        limits=Limits(
            batch_rows_max=settings.batch_rows_max,
            batch_rest_max_ms=settings.batch_rest_max_ms,
            queue_records_max=settings.queue_rows_max,
            backoff_ms=settings.backoff_first_ms,
            backoff_max_ms=settings.backoff_max_ms,
            heartbeat_ms=settings.kafka_heartbeat_interval_ms,
            commit_interval_ms=settings.commit_interval_ms,
            watch_interval_ms=settings.watch_interval_ms,
            revoke_timeout_ms=settings.revoke_timeout_ms,
            attempts_max=settings.attempts_max,
        ),
        schema_wait=_schema_wait(running),
        log=running.log.bind(part="consumer"),
    )
    LagMetrics(running.metrics, lambda: consumer.lag)
    return consumer


def _schema_wait(running: Running) -> SchemaWait:
    settings = running.settings
    log = running.log.bind(part="schemas")
    return SchemaWait(
        running.codec,
        partial(
            schema_topic.read,
            bootstrap=settings.kafka_bootstrap,
            timeout_ms=settings.kafka_request_timeout_ms,
            log=log,
        ),
        limit_ms=settings.schema_wait_max_ms,
        backoff_ms=settings.backoff_first_ms,
        backoff_max_ms=settings.backoff_max_ms,
        clock_s=time.monotonic,
        log=log,
    )


def _tables(consumes: Consumes) -> Mapping[str, EffectTable]:
    return {topic: table for topic, table in consumes.items() if isinstance(table, Mapping)}


def _replies_topics(catalog: Catalog, consumes: Consumes) -> Mapping[str, str]:
    """By topic of commands."""
    return {topic: replies_topic(catalog, table) for topic, table in _tables(consumes).items()}


def dead_letters_of(running: Running, consumes: Consumes, inbox: Inbox) -> DeadLetters:
    """What operators do with the records that the inbox has parked."""
    return DeadLetters(
        running.database,
        inbox,
        Discarding(running.codec, _replies_topics(running.catalog, consumes), running.service),
        log=running.log.bind(part="dead_letters"),
    )


def inbox_of(running: Running, consumes: Consumes) -> Inbox:
    """What handles the service's records."""
    catalog, service = running.catalog, running.service
    tables, replies = _tables(consumes), _replies_topics(catalog, consumes)
    commands = {
        topic: Commands(table, codec=running.codec, replies_topic=replies[topic], service=service)
        for topic, table in tables.items()
    }
    return Inbox(
        running.database,
        Sorter(
            running.codec,
            commands,
            horizon=Horizon(running.settings.retention_horizon_ms),
            clock=now,
        ),
        commands=commands,
        records={t: fold for t, fold in consumes.items() if not isinstance(fold, Mapping)},
        parking=Parking(
            dead_letters_topic=dead_letters_topic(catalog, service),
            replies_topic=next(iter(replies.values()), None),
            command_topics=tables.keys(),
            rate=ParkingRate(
                keys_max=running.settings.parked_keys_max,
                window_s=running.settings.parked_window_ms / 1000,
                clock_s=time.monotonic,
            ),
        ),
        attempts_max=running.settings.attempts_max,
        tally=InboxMetrics(running.metrics),
        log=running.log.bind(part="inbox"),
        outside=outside_of(running, commands, tables),
        spans=running.spans,
    )


def replies_topic(catalog: Catalog, table: EffectTable) -> str:
    """The topic that carries the answers to these commands; there is one."""
    names = {catalog.topic_of(reply).name for command in table for reply in command.replies}
    assert len(names) == 1, f"the replies of one command topic stand on {sorted(names)}"
    return names.pop()


def dead_letters_topic(catalog: Catalog, service: str) -> str | None:
    """The service's own topic for copies of parked records; None where it has none."""
    owned = (topic for topic in catalog.topics.values() if topic.owner == service)
    return next((topic.name for topic in owned if not topic.messages), None)
