"""Spans of what a service does, by OpenTelemetry; imported only where somebody collects them.

See docs/tracing.md. A message's trace goes on where it is handled, so an order is one trace. A
transaction that several of them share can be in one of their traces only: it stands below the first
one's span, and links join the others to it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode

from sagaline.chassis import span_facts
from sagaline.chassis.batch import Place, Raw, header, place_of
from sagaline.chassis.envelope import Record
from sagaline.chassis.fresh import Row
from sagaline.chassis.span_facts import below, recorded, traceparent_of
from sagaline.chassis.tracing import TraceParent

SERVER_ERROR: Final = 500


class RequestSpan:
    """A request that is being answered; `traceparent` is its place."""

    def __init__(self, span: Span, method: str) -> None:
        self._span = span
        self._method = method
        self.traceparent = traceparent_of(span)

    def answered(self, route: str, status: int) -> None:
        """How it was answered; `route` is a template."""
        self._span.update_name(f"{self._method} {route}")
        self._span.set_attributes({"http.route": route, "http.response.status_code": status})
        if status >= SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)


class Handled:
    """Where the records of a batch stand in their traces while they are handled, by place."""

    def __init__(self, traceparents: Mapping[Place, str]) -> None:
        self._traceparents = traceparents

    def moved(self, records: Mapping[str, list[Record]]) -> dict[str, list[Record]]:
        """The same records at the places of their handling: what they cause stands below."""
        return {topic: [self._moved(one) for one in found] for topic, found in records.items()}

    def _moved(self, record: Record) -> Record:
        at = self._traceparents.get(place_of(record))
        if at is None:
            return record
        return record._replace(envelope=record.envelope._replace(traceparent=at))


class Spans:
    """What a service's parts tell of themselves. `now_ns` is the wall clock, in nanoseconds."""

    def __init__(self, tracer: trace.Tracer, *, service: str, now_ns: Callable[[], int]) -> None:
        self._tracer = tracer
        self._service = service
        self._now_ns = now_ns

    @contextmanager
    def request(self, method: str, path: str, header: str | None) -> Iterator[RequestSpan]:
        """A request is answered in the block: below the caller's span, or first of a trace."""
        parent = TraceParent.parse(header)
        span = self._tracer.start_span(
            method,
            Context() if parent is None else below(span_facts.context_of(parent)),
            SpanKind.SERVER,
            {"http.request.method": method, "url.path": path},
        )
        with _ended([span]), _current(span):
            yield RequestSpan(span, method)

    def created(
        self, traceparent: str | None, *, topic: str, kind: str, message_id: str, key: str
    ) -> str | None:
        """A message is made by whoever stands at `traceparent`; give the message's own place."""
        cause = recorded(traceparent)
        if cause is None:
            return traceparent
        facts = span_facts.message("create", topic, message_id, key)
        span = self._tracer.start_span(
            f"create {topic}",
            below(cause),
            SpanKind.PRODUCER,
            {**facts, "cloudevents.event_type": kind},
        )
        span.end()
        return str(traceparent_of(span))

    def sent(self, rows: Iterable[Row]) -> None:
        """Kafka has these messages; they have waited since they were committed."""
        for row in rows:
            created = recorded(row.headers.get("traceparent"))
            if created is not None:
                self._tracer.start_span(
                    f"send {row.topic}",
                    below(created),
                    SpanKind.CLIENT,
                    {**span_facts.message("send", row.topic, row.headers["ce_id"], row.key)},
                    start_time=span_facts.nanoseconds(row.created_at),
                ).end(self._now_ns())

    @contextmanager
    def batch(self, batch: Sequence[Raw]) -> Iterator[Handled]:
        """These records are handled in the block, in one transaction."""
        found = ((raw, recorded(header(raw, "traceparent"))) for raw in batch)
        causes = [(raw, cause) for raw, cause in found if cause is not None]
        if not causes:
            yield NOTHING
            return
        (first, cause), *others = causes
        spans = {place_of(first): self._process(first, cause)}
        shared = spans[place_of(first)] if len(batch) == 1 else self._shared(len(batch), spans)
        spans |= {place_of(raw): self._process(raw, cause, shared) for raw, cause in others}
        with _ended({shared, *spans.values()}), _current(shared):
            yield Handled({place: str(traceparent_of(span)) for place, span in spans.items()})

    @contextmanager
    def joined(self, name: str, traceparents: Iterable[str | None]) -> Iterator[None]:
        """All of these are served at once in the block: below the first one, linked to the rest."""
        causes = [each for each in map(recorded, traceparents) if each is not None]
        if not causes:
            yield
            return
        first, *others = causes
        span = self._tracer.start_span(name, below(first), links=[Link(each) for each in others])
        with _ended([span]), _current(span):
            yield

    @contextmanager
    def call(self, what: str, port: str, key: str, traceparent: str | None) -> Iterator[None]:
        """An effect's port is called, or asked, in the block, for the message that stands there."""
        cause = recorded(traceparent)
        if cause is None:
            yield
            return
        facts = {"peer.service": port, "sagaline.call.key": key}
        span = self._tracer.start_span(f"{what} {port}", below(cause), SpanKind.CLIENT, facts)
        with _ended([span]), _current(span):
            yield

    @contextmanager
    def statement(self, text: str) -> Iterator[None]:
        """The database is asked this in the block, for whoever's span is the current one."""
        if not trace.get_current_span().is_recording():
            yield
            return
        summary, line = span_facts.statement(text)
        facts = {
            "db.system.name": "postgresql",
            "db.namespace": self._service,
            "db.query.summary": summary,
            "db.query.text": line,
        }
        with _ended([self._tracer.start_span(summary, kind=SpanKind.CLIENT, attributes=facts)]):
            yield

    def _process(self, raw: Raw, cause: SpanContext, shared: Span | None = None) -> Span:
        return self._tracer.start_span(
            f"process {raw.topic}",
            below(cause),
            SpanKind.CONSUMER,
            {**span_facts.record(raw, self._service)},
            links=() if shared is None else [Link(shared.get_span_context())],
        )

    def _shared(self, records: int, spans: Mapping[Place, Span]) -> Span:
        (first,) = spans.values()
        return self._tracer.start_span(
            "process batch",
            trace.set_span_in_context(first, Context()),
            attributes={"messaging.batch.message_count": records},
        )


NOTHING: Final = Handled({})


def _current(span: Span) -> AbstractContextManager[Span]:
    # By itself it would write an error's text down, which may quote the payload.
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)


@contextmanager
def _ended(spans: Iterable[Span]) -> Iterator[None]:
    """All of them end with the block; an error in it is theirs."""
    try:
        yield
    except BaseException as error:
        kind = type(error).__name__  # the class alone: what an error says may quote the payload
        for span in spans:
            span.set_status(StatusCode.ERROR, kind)
            span.set_attribute("error.type", kind)
        raise
    finally:
        for span in spans:
            span.end()
