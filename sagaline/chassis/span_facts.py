"""What spans say, in the words of OpenTelemetry's semantic conventions, and where they stand."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags

from sagaline.chassis.batch import Raw, header
from sagaline.chassis.tracing import TraceParent

Facts: TypeAlias = dict[str, str | int]

STATEMENT_CHARACTERS_MAX: Final = 1_000
TARGET = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|FROM)\s+([a-z_.]+)", re.IGNORECASE)
VERBS: Final = {"INSERT INTO": "INSERT", "DELETE FROM": "DELETE", "FROM": "SELECT"}
SAGA: Final = {
    "sagaline.saga.id": "ce_sagaid",
    "sagaline.saga.step": "ce_sagastep",
    "sagaline.saga.direction": "ce_sagadirection",
    "sagaline.saga.outcome": "ce_sagaoutcome",
}


def message(operation: str, topic: str, message_id: str, key: str) -> Facts:
    """Of a message to or from Kafka."""
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.message.id": message_id,
        "messaging.kafka.message.key": key,
    }


def record(raw: Raw, group: str) -> Facts:
    """Of a record that a group's member handles."""
    key = (raw.key or b"").decode(errors="replace")
    facts = message("process", raw.topic, header(raw, "ce_id") or "", key) | {
        "messaging.consumer.group.name": group,
        "messaging.destination.partition.id": str(raw.partition),
        "messaging.kafka.offset": raw.offset,
    }
    said = {fact: header(raw, name) for fact, name in SAGA.items()}
    return facts | {fact: value for fact, value in said.items() if value is not None}


@lru_cache(maxsize=512)  # a service has some dozens of them
def statement(text: str) -> tuple[str, str]:
    """A statement's kind and first table, and its text on one line: values are never in it."""
    line = " ".join(text.split())
    target = TARGET.search(line)
    if target is None:
        return line.partition(" ")[0].upper(), line[:STATEMENT_CHARACTERS_MAX]
    word = target[1].upper()
    return f"{VERBS.get(word, word)} {target[2]}", line[:STATEMENT_CHARACTERS_MAX]


def context_of(parent: TraceParent) -> SpanContext:
    """Where somebody else's span stands."""
    return SpanContext(
        int(parent.trace_id, 16),
        int(parent.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(parent.flags),
    )


def recorded(traceparent: str | None) -> SpanContext | None:
    """Where whoever caused something stands, if that is recorded."""
    parent = TraceParent.parse(traceparent)
    if parent is None or not parent.flags & TraceFlags.SAMPLED:
        return None
    return context_of(parent)


def below(cause: SpanContext) -> Context:
    """The context of a span that somebody else's caused."""
    return trace.set_span_in_context(NonRecordingSpan(cause), Context())


def traceparent_of(span: Span) -> TraceParent:
    """A span's place, as it goes into headers."""
    at = span.get_span_context()
    return TraceParent(f"{at.trace_id:032x}", f"{at.span_id:016x}", int(at.trace_flags))


def nanoseconds(moment: datetime) -> int:
    """Since 1970, to the microsecond."""
    return int(moment.timestamp() * 1_000_000) * 1_000
