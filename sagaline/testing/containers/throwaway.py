"""Servers for one test session, in containers; what `sagaline.local.throwaway` has as processes."""

import random
import tempfile
from collections.abc import Callable, Iterator
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
    with _running(lambda log: PostgresInContainer(port=free_port(rng), log=log)) as server:
        yield server


@contextmanager
def kafka(rng: random.Random) -> Iterator[KafkaInContainer]:
    """Run an empty Kafka; `rng` picks the port."""
    with _running(lambda log: KafkaInContainer(port=free_port(rng), log=log)) as server:
        yield server


@contextmanager
def _running(build: Callable[[Path], S]) -> Iterator[S]:
    """What `build` makes of a log's path runs for the block."""
    with tempfile.TemporaryDirectory(prefix="sagaline-") as folder:
        server = build(Path(folder) / "server.log")
        try:
            server.start()
            yield server
        finally:
            server.end(patience_s=0)
