"""Spans of a service, as its parts tell of them; kept in memory instead of being sent."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode, TraceFlags

from sagaline.chassis import span_facts
from sagaline.chassis.batch import Raw
from sagaline.chassis.envelope import Envelope, Record
from sagaline.chassis.fresh import Row
from sagaline.chassis.messages import Notice
from sagaline.chassis.spans import Spans
from sagaline.chassis.tracing import TraceParent

RECORDED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNRECORDED = RECORDED[:-1] + "0"
ID = str(UUID(int=7))


class Collected:
    def __init__(self, sampling: float) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sampling)), shutdown_on_exit=False
        )
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.spans = Spans(provider.get_tracer("test"), service="echo", now_ns=lambda: 2 * 10**18)

    @property
    def all(self) -> dict[str, ReadableSpan]:
        """By name; the last one of each."""
        return {span.name: span for span in self._exporter.get_finished_spans()}

    def every(self, name: str) -> list[ReadableSpan]:
        """All of that name, in the order of their begin."""
        found = [span for span in self._exporter.get_finished_spans() if span.name == name]
        return sorted(found, key=lambda span: span.start_time or 0)


def raw(offset: int, traceparent: str | None) -> Raw:
    headers = {"ce_id": ID, "ce_sagastep": "reserve", "traceparent": traceparent}
    kept = tuple((name, text.encode()) for name, text in headers.items() if text is not None)
    return Raw("echo.commands.v1", 3, offset, b"the key", kept, b"")


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def test_a_request_is_the_root_and_is_named_by_its_route() -> None:
    found = Collected(1)
    with found.spans.request("POST", "/orders/7", None) as request:
        request.answered("/orders/{id}", 503)
    span = found.all["POST /orders/{id}"]
    assert (span.parent, span.kind) == (None, SpanKind.SERVER)
    assert span.status.status_code is StatusCode.ERROR
    assert request.traceparent.flags & TraceFlags.SAMPLED
    assert request.traceparent.span_id == id_of(span)


def test_a_call_stands_below_what_it_is_made_for() -> None:
    found = Collected(1)
    with found.spans.call("call", "mailer", ID, RECORDED):
        pass
    with found.spans.call("call", "mailer", ID, UNRECORDED):
        pass
    (span,) = found.every("call mailer")
    assert (parent_of(span), span.kind) == (RECORDED.split("-")[2], SpanKind.CLIENT)


def test_a_call_that_fails_is_an_error_without_its_words() -> None:
    found = Collected(1)
    with (
        pytest.raises(ConnectionError),
        found.spans.call("ask", "mailer", ID, RECORDED),
    ):
        raise ConnectionError("for alice@example.org")
    span = found.all["ask mailer"]
    assert (span.status.status_code, span.status.description) == (
        StatusCode.ERROR,
        "ConnectionError",
    )


def test_of_a_trace_that_is_not_sampled_nothing_is_told_anywhere() -> None:
    found = Collected(0)
    with found.spans.request("POST", "/", None) as request:
        request.answered("/", 200)
        at = str(request.traceparent)
        assert found.spans.created(at, topic="t", kind="k", message_id=ID, key="1") == at
        with found.spans.statement("SELECT 1"):
            pass
    with found.spans.batch([raw(1, at), raw(2, None)]) as handled:
        assert handled.moved({"t": []}) == {"t": []}
    assert not request.traceparent.flags & TraceFlags.SAMPLED
    assert found.all == {}


def test_whom_a_caller_does_not_record_is_not_recorded() -> None:
    found = Collected(1)
    with found.spans.request("POST", "/", UNRECORDED) as request:
        assert str(request.traceparent)[:36] == UNRECORDED[:36]
    assert found.all == {}


def test_a_message_stands_below_its_cause_and_its_sending_below_it() -> None:
    found = Collected(1)
    at = found.spans.created(RECORDED, topic="t", kind="k", message_id=ID, key="1")
    assert at is not None
    committed = datetime(2026, 1, 1, tzinfo=UTC)
    found.spans.sent([Row(1, "t", "1", {"ce_id": ID, "traceparent": at}, b"", committed)])
    created, sent = found.all["create t"], found.all["send t"]
    assert parent_of(created) == RECORDED[36:52]
    assert TraceParent.parse(at) == TraceParent(trace_of(created), id_of(created), 1)
    assert parent_of(sent) == id_of(created)
    assert sent.start_time == int(committed.timestamp()) * 10**9
    assert sent.end_time == 2 * 10**18


def test_a_batch_is_below_its_first_record_and_the_others_are_linked_to_it() -> None:
    found = Collected(1)
    other = RECORDED.replace("4bf9", "5bf9")
    with (
        found.spans.batch([raw(1, None), raw(2, RECORDED), raw(3, other)]),
        found.spans.statement("UPDATE sagaline.positions SET x = $1"),
    ):
        pass
    shared = found.all["process batch"]
    first, second = found.every("process echo.commands.v1")
    assert parent_of(found.all["UPDATE sagaline.positions"]) == id_of(shared)
    assert parent_of(shared) == id_of(first)
    assert [trace_of(span) for span in (first, second)] == [RECORDED[3:35], other[3:35]]
    assert [f"{link.context.span_id:016x}" for link in second.links] == [id_of(shared)]
    assert shared.attributes is not None
    assert shared.attributes["messaging.batch.message_count"] == 3


def test_what_a_record_causes_stands_below_its_handling() -> None:
    found = Collected(1)
    with found.spans.batch([raw(1, RECORDED)]) as handled:
        envelope = Envelope(UUID(int=7), "k", "/s", "1", datetime.now(UTC), RECORDED)
        record = Record("echo.commands.v1", 3, 1, "1", envelope, Notice(code="a", detail="b"), b"")
        (moved,) = handled.moved({"echo.commands.v1": [record]})["echo.commands.v1"]
    span = found.all["process echo.commands.v1"]
    assert moved.envelope.traceparent == f"00-{trace_of(span)}-{id_of(span)}-01"


def test_a_failing_batch_is_an_error_that_quotes_nothing() -> None:
    found = Collected(1)
    with pytest.raises(LookupError), found.spans.batch([raw(1, RECORDED)]):
        raise LookupError("a secret")
    span = found.all["process echo.commands.v1"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "LookupError"
    assert "secret" not in span.to_json()


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("SELECT id FROM orders.orders WHERE id = $1", "SELECT orders.orders"),
        ("\n  UPDATE sagaline.positions\n SET x = 1", "UPDATE sagaline.positions"),
        ("WITH a AS (INSERT INTO sagaline.outbox VALUES ($1)) SELECT 1", "INSERT sagaline.outbox"),
        ("DELETE FROM sagaline.outbox WHERE id = ANY($1)", "DELETE sagaline.outbox"),
        ("COMMIT", "COMMIT"),
    ],
)
def test_a_statement_is_named_by_what_it_does_to_which_table(text: str, summary: str) -> None:
    found, line = span_facts.statement(text)
    assert found == summary
    assert "\n" not in line
