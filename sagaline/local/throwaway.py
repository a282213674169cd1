"""Servers for one test session or one demo: free ports, a folder that goes away with them."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sagaline.local.errors import PortTaken
from sagaline.local.kafka import SMALL_JAVA, Kafka
from sagaline.local.ports import free_port
from sagaline.local.postgres import Postgres
from sagaline.local.server import Server

TRIES_MAX = 5  # between the look for a free port and its use, somebody else may take it

S = TypeVar("S", bound=Server)


@contextmanager
def postgres(rng: random.Random) -> Iterator[Postgres]:
    """Run an empty PostgreSQL; `rng` picks the port."""

    def build(directory: Path) -> Postgres:
        return Postgres(directory, port=free_port(rng), throw_away=True)

    with _running(build) as server:
        yield server


@contextmanager
def kafka(rng: random.Random, *, java_options: Sequence[str] = SMALL_JAVA) -> Iterator[Kafka]:
    """Run an empty Kafka; `rng` picks the ports."""

    def build(directory: Path) -> Kafka:
        return Kafka(
            directory,
            port=free_port(rng),
            controller_port=free_port(rng),
            java_options=java_options,
            throw_away=True,
        )

    with _running(build) as server:
        yield server


@contextmanager
def _running(build: Callable[[Path], S]) -> Iterator[S]:
    directory = Path(tempfile.mkdtemp(prefix="sagaline-"))
    directory.chmod(0o711)  # where we are root, PostgreSQL's user enters it
    try:
        server = _start(build, directory)
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(server.directory, ignore_errors=True)  # it may lie elsewhere
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _start(build: Callable[[Path], S], directory: Path) -> S:
    for attempt in range(TRIES_MAX):
        server = build(directory)
        try:
            server.start()
            return server
        except PortTaken:
            if attempt == TRIES_MAX - 1:
                raise
    raise AssertionError("the last attempt returns or raises")
