"""HTTP servers in this process: uvicorn, which the service starts and ends, not a signal."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from math import ceil

import uvicorn
from fastapi import FastAPI

from sagaline.chassis.deadline import within
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.running import Running

KEEP_ALIVE_S = 15
DATE_MS = 1_000  # so old a date header may be


class PortTaken(PlatformError):
    """The {side} side can't listen on {host}:{port}: {reason}. {variable} moves it."""


class Server(uvicorn.Server):
    """Uvicorn that leaves signals alone; `ready` is set when it answers at `url`."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        super().__init__(config)
        self._listening = listening
        host, port = listening.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.ready = asyncio.Event()
        self._ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Keep the date right, until the end; uvicorn's own looks ten times a second for that."""
        while not await self.on_tick(0):
            await within(self._ending, DATE_MS)

    def end(self) -> None:
        """Take no new request."""
        self.should_exit = True
        self._ending.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service, which ends more than its HTTP side."""
        yield

    async def run_here(self) -> None:
        """Answer requests until `should_exit`, then those in flight."""
        await self.serve([self._listening])


@dataclass(frozen=True, slots=True)
class Side:
    """One of a service's two applications, and the settings that say where it listens."""

    name: str  # of its background task
    shown: str
    app: FastAPI
    host: str
    port: int
    variable: str


@dataclass(frozen=True, slots=True)
class Serving:
    """Where a service answers: everybody at `url`, its operators at `operator_url`."""

    url: str
    operator_url: str
    servers: tuple[Server, ...]

    async def stop(self, running: Running) -> None:
        """No new request is taken, and those in flight are answered, or their time is over."""
        for server in self.servers:
            server.end()
        for side in _sides(running):
            within_ms = running.settings.shutdown_grace_ms + 1_000
            await running.background.end(side.name, within_ms=within_ms)


@asynccontextmanager
async def serving(running: Running) -> AsyncIterator[Serving]:
    """The service answers over HTTP for the block, and then ends what is in flight.

    `stop` ends it earlier. Raises PortTaken, before anything is answered.
    """
    with ExitStack() as sockets:
        # Both ports are ours before either answers: nobody takes half a service for a whole one.
        sides = [(side, sockets.enter_context(_listening(side))) for side in _sides(running)]
        servers = tuple(Server(_config(side.app, running), listening) for side, listening in sides)
        for (side, _), server in zip(sides, servers, strict=True):
            running.background.start(side.name, server.run_here())
        for server in servers:
            await running.background.until(server.ready)
        url, operator_url = (server.url for server in servers)
        running.log.info("listening", url=url, operator_url=operator_url)
        serves = Serving(url, operator_url, servers)
        try:
            yield serves
        finally:
            await serves.stop(running)


def _sides(running: Running) -> tuple[Side, Side]:
    settings = running.settings
    return (
        Side(
            "http",
            "HTTP",
            running.app,
            settings.http_host,
            settings.http_port,
            settings.env_name("http_port"),
        ),
        Side(
            "operators",
            "operators'",
            running.operator_app,
            settings.operator_host,
            settings.operator_port,
            settings.env_name("operator_port"),
        ),
    )


def _config(app: FastAPI, running: Running) -> uvicorn.Config:
    settings = running.settings
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.http_connections_max,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=ceil(settings.shutdown_grace_ms / 1000),
    )


@contextmanager
def _listening(side: Side) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            side.host, side.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise PortTaken(
            side=side.shown,
            host=side.host,
            port=side.port,
            reason=error.strerror or str(error),
            variable=side.variable,
        ) from error
    with listening:
        yield listening
