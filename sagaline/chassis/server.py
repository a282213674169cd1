"""An HTTP server in this process: uvicorn, which the service starts and ends, not a signal."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import ceil

import uvicorn

from sagaline.chassis.errors import PlatformError
from sagaline.chassis.running import Running

KEEP_ALIVE_S = 15


class PortTaken(PlatformError):
    """The HTTP side can't listen on {host}:{port}: {reason}. {variable} moves it."""


class Server(uvicorn.Server):
    """Uvicorn that leaves signals alone; `ready` is set when it answers at `url`."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        super().__init__(config)
        self._listening = listening
        host, port = listening.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service, which ends more than its HTTP side."""
        yield

    async def run_here(self) -> None:
        """Answer requests until `should_exit`, then those in flight."""
        await self.serve([self._listening])


@asynccontextmanager
async def serving(running: Running) -> AsyncIterator[Server]:
    """The service answers over HTTP for the block, and then ends what is in flight.

    `should_exit` and waiting for the background task `http` ends it earlier. Raises PortTaken.
    """
    settings = running.settings
    config = uvicorn.Config(
        running.app,
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
    with _listening(running) as listening:
        server = Server(config, listening)
        running.background.start("http", server.run_here())
        await running.background.until(server.ready)
        running.log.info("listening", url=server.url)
        try:
            yield server
        finally:
            await stop(server, running)


async def stop(server: Server, running: Running) -> None:
    """No new request is taken, and those in flight are answered, or their time is over."""
    server.should_exit = True
    await running.background.end("http", within_ms=running.settings.shutdown_grace_ms + 1_000)


@contextmanager
def _listening(running: Running) -> Iterator[socket.socket]:
    settings = running.settings
    host, port = settings.http_host, settings.http_port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        variable = settings.env_name("http_port")
        reason = error.strerror or str(error)
        raise PortTaken(host=host, port=port, reason=reason, variable=variable) from error
    with listening:
        yield listening
