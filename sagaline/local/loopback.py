"""HTTP/1.1 to services on this machine: what httpx needs of a transport, and nothing more.

httpx's own pool asks each idle connection at every request whether it is still open. With 64 orders
in flight that took 5 ms of processor time a request, more than the whole platform took for it.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass

import httpx

IDLE_MAX_S = 2.0  # uvicorn closes a connection that was idle for 5 s
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})  # RFC 9110
HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
# The extension by which a request sets a time of its own; httpx's own has a default in any case.
TIMEOUT = "sagaline.timeout_s"


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since_s: float = 0.0


class LoopbackTransport(httpx.AsyncBaseTransport):
    """Plain HTTP with kept connections; answers need a Content-Length, as ours have."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: dict[tuple[str, int], list[_Connection]] = defaultdict(list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, give the answer. Raises httpx.TransportError."""
        timeout_s: float = request.extensions.get(TIMEOUT, self._timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time", request=request) from error
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            raise httpx.ReadError(str(error), request=request) from error

    async def aclose(self) -> None:
        """All connections are closed."""
        for connections in self._idle.values():
            for connection in connections:
                connection.writer.close()
        self._idle.clear()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        place = (request.url.host, request.url.port or 80)
        if (kept := self._kept(place)) is not None:
            try:
                return await self._over(kept, request, place)
            except (ConnectionError, EOFError):
                # The server may have closed it, or ended, before the request came: who may ask
                # twice asks again. Others are told, as they can't know whether it was heard.
                if request.method not in IDEMPOTENT:
                    raise
        return await self._over(await _opened(place, request), request, place)

    async def _over(
        self, connection: _Connection, request: httpx.Request, place: tuple[str, int]
    ) -> httpx.Response:
        try:
            connection.writer.write(_head(request) + await request.aread())
            response, stays_open = await _answer(connection.reader)
        except BaseException:
            connection.writer.close()  # half an answer may still be on its way
            raise
        if stays_open:
            connection.idle_since_s = time.monotonic()
            self._idle[place].append(connection)
        else:
            connection.writer.close()
        return response

    def _kept(self, place: tuple[str, int]) -> _Connection | None:
        """Give the connection that was used last, if that was not too long ago."""
        kept = self._idle[place]
        connection = kept.pop() if kept else None
        while connection is not None and connection.reader.at_eof():
            connection.writer.close()
            connection = kept.pop() if kept else None
        if connection is None:
            return None
        if time.monotonic() - connection.idle_since_s < IDLE_MAX_S:
            return connection
        for stale in (connection, *kept):  # the others were idle for longer still
            stale.writer.close()
        kept.clear()
        return None


async def _opened(place: tuple[str, int], request: httpx.Request) -> _Connection:
    try:
        return _Connection(*await asyncio.open_connection(*place, limit=HEAD_BYTES_MAX))
    except OSError as error:  # refused; or reset, by a server that stops just now
        raise httpx.ConnectError(str(error), request=request) from error


def _head(request: httpx.Request) -> bytes:
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def _answer(reader: asyncio.StreamReader) -> tuple[httpx.Response, bool]:
    """Read an answer; say also whether the connection may be used again."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head[:-4].split(b"\r\n")
    headers = httpx.Headers([_header(line) for line in lines])
    length = int(headers.get("content-length", -1))
    if not 0 <= length <= BODY_BYTES_MAX:
        raise OSError(f"an answer of {length} bytes")
    body = await reader.readexactly(length)
    response = httpx.Response(int(status.split(b" ", 2)[1]), headers=headers, content=body)
    return response, headers.get("connection", "").lower() != "close"


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip(), value.strip()
