"""The Collector takes our configuration, and keeps what docs/tracing.md says that it keeps."""

import random
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode

from tests.contract.observability.collector import CONFIG, collecting, program
from tests.integration.traces.receiver import receiving

PLAIN, WITHIN_S = 300, 30.0
SECOND_NS = 1_000_000_000


def test_the_collector_accepts_its_configuration() -> None:
    done = subprocess.run(
        [program(), "validate", f"--config=file:{CONFIG}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class Told:
    """Sends traces of one span each, and knows them by what they should be kept for."""

    def __init__(self, address: str) -> None:
        provider = TracerProvider(
            resource=Resource({"service.name": "echo"}), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=f"{address}/v1/traces", timeout=WITHIN_S)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        self._tracer = provider.get_tracer("test")
        self.ids: dict[str, set[str]] = {
            "plain": set(),
            "error": set(),
            "slow": set(),
            "undo": set(),
        }

    def tell(self, what: str) -> None:
        now_ns = time.time_ns()
        span = self._tracer.start_span(what, start_time=now_ns - 5 * SECOND_NS)
        self.ids[what].add(f"{span.get_span_context().trace_id:032x}")
        if what == "error":
            span.set_status(StatusCode.ERROR, "Poison")
        if what == "undo":
            span.set_attribute("sagaline.saga.direction", "undo")
        span.end(now_ns if what == "slow" else now_ns - 4 * SECOND_NS)


def test_errors_slow_traces_and_undone_sagas_are_kept_and_few_of_the_rest(tmp_path: Path) -> None:
    log = tmp_path / "otelcol.log"
    with receiving() as (receiver, address), collecting(address, log, decision_wait_s=1) as own:
        until(lambda: listens(own), "the Collector doesn't listen", log)
        told = Told(own)
        what = ["plain"] * PLAIN + ["error"] * 5 + ["slow"] * 5 + ["undo"] * 5
        for each in random.sample(what, len(what)):
            told.tell(each)
        told.tell("error")  # decided last: all the others are by then
        due = told.ids["error"] | told.ids["slow"] | told.ids["undo"]
        until(lambda: due <= receiver.traces().keys(), "some were dropped", log)
        assert len(receiver.traces().keys() & told.ids["plain"]) < PLAIN / 10  # of 1 %


def listens(address: str) -> bool:
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


def until(is_so: Callable[[], bool], otherwise: str, log: Path) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > deadline_s:
            pytest.fail(f"{otherwise}:\n{log.read_text()}")
        time.sleep(0.05)
