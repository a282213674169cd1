"""Servers for one test session, in containers; what `sagaline.local.throwaway` has as processes."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sagaline.local.ports import free_port
from sagaline.testing.containers.server import ContainerServer
from sagaline.testing.containers.servers import KafkaInContainer, PostgresInContainer

S = TypeVar("S", bound=ContainerServer)


@contextmanager
def postgres(rng: random.Random) -> Iterator[PostgresInContainer]:
    """Run an empty PostgreSQL; `rng` picks the port."""
    with tempfile.TemporaryDirectory(prefix="sagaline-") as folder:
        log = Path(folder) / "postgres.log"
        with _running(PostgresInContainer(port=free_port(rng), log=log)) as server:
            yield server


@contextmanager
def kafka(rng: random.Random) -> Iterator[KafkaInContainer]:
    """Run an empty Kafka; `rng` picks the port."""
    with tempfile.TemporaryDirectory(prefix="sagaline-") as folder:
        log = Path(folder) / "kafka.log"
        with _running(KafkaInContainer(port=free_port(rng), log=log)) as server:
            yield server


@contextmanager
def _running(server: S) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        server.end(patience_s=0)
