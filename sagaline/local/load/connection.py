"""HTTP/1.1 for the load's hot loop: httptools on bare asyncio, and no more than our answers need.

The load shares the processors with what it measures.
"""

import asyncio
from dataclasses import dataclass
from typing import Self, cast
from urllib.parse import urlsplit

import httptools


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and body of an answer."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._answer: asyncio.Future[Answer] | None = None

    @classmethod
    async def opened(cls, host: str, port: int) -> Self:
        """Open one. Raises OSError."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    @property
    def is_open(self) -> bool:
        """Whether another request may go over it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Send a whole request; give its answer. Raises OSError."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Nothing more goes over it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's word: it is open."""
        # A TCP connection's is one in fact; uvloop's isn't of the type.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio's word: it is closed; whoever still waits is told."""
        self._fail(error or ConnectionResetError("closed by the server"))
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """asyncio's word: some bytes have come."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionAbortedError(str(error)))
            self.close()

    def on_body(self, body: bytes) -> None:
        """httptools' word: some of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools' word: the answer is whole."""
        answer = Answer(self._parser.get_status_code(), b"".join(self._body))
        stays_open = self._parser.should_keep_alive()
        self._parser, self._body = httptools.HttpResponseParser(self), []
        if not stays_open:
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(
                error if isinstance(error, OSError) else ConnectionAbortedError(str(error))
            )


class Connections:
    """As many connections to one server as there are requests at once; kept for the next ones."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname, url
        assert parts.port, url
        self._place = parts.hostname, parts.port
        self._host = f"{parts.hostname}:{parts.port}"
        self._kept: list[Connection] = []

    async def ask(
        self, method: str, path: str, *, body: bytes = b"", wait_s: int = 0, within_s: float
    ) -> Answer:
        """Send a request; give its answer. Raises OSError; TimeoutError is one."""
        prefer = f"Prefer: wait={wait_s}\r\n" if wait_s else ""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{prefer}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        async with asyncio.timeout(within_s):
            connection = self._open_one() or await Connection.opened(*self._place)
            try:
                answer = await connection.ask(head.encode() + body)
            except BaseException:
                connection.close()  # half an answer may still be on its way
                raise
        if connection.is_open:
            self._kept.append(connection)
        return answer

    def close(self) -> None:
        """All that are kept are closed."""
        while self._kept:
            self._kept.pop().close()

    def _open_one(self) -> Connection | None:
        while self._kept:
            connection = self._kept.pop()
            if connection.is_open:
                return connection
        return None
