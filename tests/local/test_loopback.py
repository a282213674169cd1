"""The transport against a real socket: kept connections, and each way in which a server fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from sagaline.local.loopback import TIMEOUT, LoopbackTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[tuple[httpx.AsyncClient, list[int]]]:
    """Give a client whose base is the server, and a list that counts connections."""
    connections: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            await handler(reader, writer)
        except (EOFError, ConnectionError):  # the client went away
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    transport = LoopbackTransport(timeout_s=0.5)
    async with server, httpx.AsyncClient(transport=transport, base_url=url) as client:
        yield client, connections


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)


async def test_a_connection_is_used_again() -> None:
    async with serving(answering) as (client, connections):
        for _ in range(5):
            assert (await client.get("/")).text == "ok"
        assert len(connections) == 1


async def test_requests_at_the_same_time_have_a_connection_each() -> None:
    async with serving(answering) as (client, connections):
        answers = await asyncio.gather(*(client.get("/") for _ in range(8)))
        assert [answer.text for answer in answers] == ["ok"] * 8
        assert 1 < len(connections) <= 8


async def test_a_body_arrives_whole() -> None:
    received: list[bytes] = []

    async def reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /orders?x=1 HTTP/1.1\r\n")
        received.append(await reader.readexactly(3))
        writer.write(OK)

    async with serving(reading) as (client, _):
        await client.post("/orders?x=1", content=b"a\x00b")
    assert received == [b"a\x00b"]


async def test_nobody_there_is_a_connect_error() -> None:
    async with serving(answering) as (client, _):
        url = client.base_url
    async with httpx.AsyncClient(transport=LoopbackTransport(timeout_s=0.5)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_server_that_closes_while_one_connects_is_a_connect_error() -> None:
    server = await asyncio.start_server(answering, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(transport=LoopbackTransport(timeout_s=5)) as client:
        request = asyncio.create_task(client.get(url))
        await asyncio.sleep(0)  # the kernel has taken the connection, nobody else yet
        server.close()
        with pytest.raises(httpx.ConnectError):
            await request


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"])
async def test_a_server_that_dies_in_mid_answer_is_a_read_error(answer: bytes) -> None:
    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with serving(dying) as (client, _):
        with pytest.raises(httpx.ReadError):
            await client.get("/")


def replaced(asked: list[bytes]) -> Handler:
    """Answers one request of a connection, takes a second one, and ends without a word."""

    async def reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (OK, b""):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
        writer.close()

    return reading


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_what_may_be_asked_twice_is_asked_again_after_a_server_was_replaced(
    method: str,
) -> None:
    asked: list[bytes] = []
    async with serving(replaced(asked)) as (client, _):
        await client.request(method, "/")
        assert (await client.request(method, "/")).status_code == 200
    assert len(asked) == 3


async def test_a_post_that_may_have_been_heard_is_not_repeated() -> None:
    asked: list[bytes] = []
    async with serving(replaced(asked)) as (client, _):
        await client.post("/")
        with pytest.raises(httpx.ReadError):
            await client.post("/")
    assert len(asked) == 2


async def test_a_server_that_is_silent_is_a_time_out() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as (client, _):
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/")


async def test_a_request_that_waits_says_for_how_long_itself() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(1.0)  # longer than the transport's own time
        writer.write(OK)

    async with serving(slow) as (client, _):
        assert (await client.get("/", extensions={TIMEOUT: 30.0})).text == "ok"


async def test_after_connection_close_the_next_request_opens_another_one() -> None:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))

    async with serving(closing) as (client, connections):
        assert [(await client.get("/")).text for _ in range(2)] == ["ok", "ok"]
        assert len(connections) == 2
