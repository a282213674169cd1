"""Where spans go: an OTLP receiver, by OpenTelemetry's SDK. See docs/tracing.md."""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import CollectorRegistry, Counter

import sagaline
from sagaline.chassis.settings import ServiceSettings
from sagaline.chassis.spans import Spans

PATH = "/v1/traces"
QUEUE_MAX = 8_192  # spans that wait; one more drops the oldest
EXPORT_MAX, EXPORT_EACH_MS = 512, 1_000
EXPORT_TIMEOUT_S = 5.0  # tries again included
CLOSE_S = 2.0


class Counted(OTLPSpanExporter):
    """Sends spans, and counts what became of them."""

    def __init__(self, endpoint: str, outcomes: Counter) -> None:
        super().__init__(endpoint + PATH, timeout=EXPORT_TIMEOUT_S)
        self._outcomes = outcomes

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send these; called in a thread of the SDK's."""
        result = super().export(spans)
        sent = result is SpanExportResult.SUCCESS
        self._outcomes.labels("exported" if sent else "failed").inc(len(spans))
        return result


class CountedQueue(BatchSpanProcessor):
    """Counts spans that have ended: of those that nobody sends a full queue lost some."""

    def __init__(self, exporter: Counted, ended: Counter) -> None:
        super().__init__(
            exporter,
            max_queue_size=QUEUE_MAX,
            schedule_delay_millis=EXPORT_EACH_MS,
            max_export_batch_size=EXPORT_MAX,
        )
        self._ended = ended

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that has ended."""
        self._ended.inc()
        super().on_end(span)


class SpanExport:
    """A service's `spans`, sent to the receiver at `endpoint` (http://host:4318) in batches.

    Neither a receiver that is away nor a full queue holds anybody up: spans are dropped.
    """

    def __init__(
        self, settings: ServiceSettings, endpoint: str, registry: CollectorRegistry
    ) -> None:
        outcomes = Counter(
            "sagaline_spans_total",
            "Spans that a receiver took (exported) or did not take (failed).",
            ["outcome"],
            registry=registry,
        )
        ended = Counter("sagaline_spans_ended_total", "Spans that have ended.", registry=registry)
        self._provider = TracerProvider(
            ParentBased(TraceIdRatioBased(settings.trace_sampling)),
            Resource.create(
                {
                    "service.name": settings.service,
                    "service.instance.id": settings.process_name,
                    "service.version": sagaline.__version__,
                }
            ),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            CountedQueue(Counted(endpoint.rstrip("/"), outcomes), ended)
        )
        tracer = self._provider.get_tracer("sagaline", sagaline.__version__)
        self.spans = Spans(tracer, service=settings.service, now_ns=time.time_ns)

    async def close(self) -> None:
        """What waits is sent, or given up after CLOSE_S."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # it took longer than anybody waited, and the loop is gone
                loop.call_soon_threadsafe(ended.set)

        # A thread that nobody waits for at the exit: the exporter speaks HTTP in blocking calls.
        threading.Thread(target=shut_down, name="spans", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await ended.wait()
