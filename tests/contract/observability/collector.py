"""An OpenTelemetry Collector on this machine, with the platform's own configuration."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagaline.local.ports import free_port
from tests.contract.observability.promtool import FOLDER

CONFIG = FOLDER / "otel-collector.yaml"
MISSING = "otelcol is not on the path: go build -C tests/contract/observability/otelcol -o ..."


def program() -> str:
    """The Collector's path; skips the test where there is none."""
    found = shutil.which("otelcol")
    if found is None:
        pytest.skip(MISSING)
    return found


@contextmanager
def collecting(receiver: str, log: Path, *, decision_wait_s: int) -> Iterator[str]:
    """Run it for the block, and give its OTLP address; what it keeps goes to `receiver`, by HTTP.

    All else is as configured but for the addresses, and that it decides so soon.
    """
    port = free_port(random.SystemRandom())
    changes = (
        f"receivers::otlp::protocols::http::endpoint: 127.0.0.1:{port}",
        f"processors::tail_sampling::decision_wait: {decision_wait_s}s",
        f"exporters::otlphttp: {{endpoint: '{receiver}', compression: none}}",
        "service::pipelines::traces::exporters: [otlphttp]",
        "service::telemetry::metrics::level: none",
    )
    arguments = [f"--config=file:{CONFIG}", *(f"--config=yaml:{change}" for change in changes)]
    with log.open("wb") as out:
        process = subprocess.Popen([program(), *arguments], stdout=out, stderr=out)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
