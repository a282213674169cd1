"""A receiver of OTLP over HTTP: keeps every span that services send it, by trace."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

POLL_S, WITHIN_S = 0.1, 30.0


class Told(NamedTuple):
    """A span, as a service told of it."""

    service: str
    name: str
    kind: str  # SERVER, CLIENT, PRODUCER, CONSUMER, INTERNAL
    id: str
    parent: str  # empty: it is a root
    links: Sequence[str]  # ids of spans
    facts: Mapping[str, str | int]
    error: bool


class Receiver:
    """What was received, by trace id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces: dict[str, list[Told]] = defaultdict(list)

    def take(self, body: bytes) -> None:
        """Keep what a request brings."""
        request = ExportTraceServiceRequest.FromString(body)
        with self._lock:
            for resource in request.resource_spans:
                service = str(_facts(resource.resource.attributes)["service.name"])
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        self._traces[span.trace_id.hex()].append(_told(service, span))

    def traces(self) -> dict[str, list[Told]]:
        """All of it, as far as it has come."""
        with self._lock:
            return {trace: list(spans) for trace, spans in self._traces.items()}

    async def trace(self, whole: Callable[[Sequence[Told]], bool]) -> list[Told]:
        """The first trace that is `whole`; services send theirs once a second."""
        deadline_s = time.monotonic() + WITHIN_S
        while True:
            traces = self.traces()
            found = next((spans for spans in traces.values() if whole(spans)), None)
            if found is not None:
                return found
            if time.monotonic() > deadline_s:
                longest = max(traces.values(), key=len, default=[])
                names = sorted(f"{span.service}: {span.name}" for span in longest)
                raise AssertionError(f"no trace is whole; the longest has\n{chr(10).join(names)}")
            await asyncio.sleep(POLL_S)


@contextmanager
def receiving() -> Iterator[tuple[Receiver, str]]:
    """A receiver, and its address."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _told(service: str, span: trace_pb2.Span) -> Told:
    return Told(
        service,
        span.name,
        trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        [link.span_id.hex() for link in span.links],
        _facts(span.attributes),
        span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
    )


def _facts(attributes: Sequence[KeyValue]) -> dict[str, str | int]:
    return {
        each.key: each.value.string_value
        if each.value.HasField("string_value")
        else each.value.int_value
        for each in attributes
    }
