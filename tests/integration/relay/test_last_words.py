"""The server ends the session of a lane; the end of the connection comes after its last words."""

import array
import asyncio
import fcntl
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qsl, urlsplit

import pytest

from sagaline.chassis.fresh import Fresh
from sagaline.chassis.lane import Lane, LaneLost
from tests.integration.relay.stage import Writer, eventually

WITHIN_S = 20


async def test_a_session_that_heard_the_servers_last_words_is_lost(
    database_url: str, writer: Writer
) -> None:
    async with asyncio.timeout(WITHIN_S), wire(database_url) as (url, last_words):
        lane = Lane(url, number=0, owner="drainer", idle_session_timeout_ms=3_000, fresh=Fresh())
        assert await lane.try_take()
        await writer.connection.execute("SELECT pg_terminate_backend($1)", lane.backend_pid)
        await last_words.wait()
        await everything_is_heard(lane)
        with pytest.raises(LaneLost):
            await lane.backlog()
        assert not lane.taken


async def test_a_session_that_stopped_between_asking_for_a_plan_and_using_it_loses_the_lane(
    database_url: str, writer: Writer
) -> None:
    def lane(owner: str) -> Lane:
        return Lane(database_url, number=0, owner=owner, idle_session_timeout_ms=500, fresh=Fresh())

    stopped, other = lane("stopped"), lane("other")
    try:
        assert await stopped.try_take()
        session = stopped._connection
        assert session is not None
        await session.prepare("SELECT 1")  # to the server it is at work, and not idle
        await eventually(other.try_take, within_s=WITHIN_S, what="the lane is free")
    finally:
        await stopped.release()
        await other.release()


@asynccontextmanager
async def wire(database_url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A way to the server that passes its words on, but not its end; the event says that it came.

    Gives the URL at which the way begins.
    """
    server_url, last_words = urlsplit(database_url), asyncio.Event()
    place = dict(parse_qsl(server_url.query))
    socket = f"{place['host']}/.s.PGSQL.{place['port']}"

    async def connect(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(socket)
        up = asyncio.create_task(copy(client, to_server))
        await copy(server, to_client)
        last_words.set()
        with suppress(ConnectionError):  # what the client still says reaches nobody
            await up
        to_client.close()
        to_server.close()

    begin = await asyncio.start_server(connect, "127.0.0.1", 0)
    async with begin:
        credentials = server_url.netloc.rpartition("@")[0]
        port = begin.sockets[0].getsockname()[1]
        netloc = f"{credentials}@127.0.0.1:{port}"
        yield server_url._replace(netloc=netloc, query="").geturl(), last_words


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while words := await reader.read(65_536):
        writer.write(words)
        await writer.drain()


async def everything_is_heard(lane: Lane) -> None:
    """Nothing of what the server said waits in the client's socket."""
    assert lane._connection is not None
    transport = lane._connection._transport  # type: ignore[attr-defined]  # not for users
    socket, unread = transport.get_extra_info("socket"), array.array("i", [1])
    while unread[0]:
        await asyncio.sleep(0)
        fcntl.ioctl(socket.fileno(), termios.FIONREAD, unread)
