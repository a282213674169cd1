"""An order's progress as Server-Sent Events: the newest state each time, and then an end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI

from tests.integration.gateway.stage import Gateway, gateway_at, until
from tests.integration.gateway.test_projection import course, placed, project, snapshot

UNKNOWN = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"


class Listener:
    """A client of one stream: what it has received so far, and whether the stream has ended."""

    def __init__(self) -> None:
        self.status = 0
        self.text = ""
        self.ended = False
        self.left = asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.text += message["body"].decode()
            self.ended = not message.get("more_body", False)

    @property
    def events(self) -> list[tuple[str, int, Any]]:
        """Name, id and data of each event."""
        blocks = [block for block in self.text.split("\n\n") if block.startswith("id:")]
        found = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
        return [(each["event"], int(each["id"]), json.loads(each["data"])) for each in found]

    @property
    def told(self) -> list[tuple[str, int]]:
        """Name and id of each event."""
        return [(name, sequence) for name, sequence, _ in self.events]


@asynccontextmanager
async def listening(app: FastAPI, order: str, last: str | None = None) -> AsyncIterator[Listener]:
    listener = Listener()
    path = f"/orders/{order}/events"
    headers = [] if last is None else [(b"last-event-id", last.encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }
    serving = asyncio.create_task(app(scope, listener.receive, listener.send))
    try:
        yield listener
    finally:
        listener.left.set()
        await serving


def _has(listener: Listener, event: tuple[str, int]) -> bool:
    return event in listener.told


async def test_each_newer_state_is_told_and_the_sagas_end_ends_the_stream(
    gateway: Gateway,
) -> None:
    order = await placed(gateway)
    async with listening(gateway.running.app, order) as listener:
        await until(lambda: listener.told == [("progress", 0)])
        for each in course(order):
            await project(gateway, each)
            await until(partial(_has, listener, ("progress", each.sequence)))
        await until(lambda: listener.ended)
    assert [sequence for _, sequence in listener.told] == [0, 1, 2, 3, 4, 4]
    assert listener.told[-1] == ("end", 4)
    name, _, data = listener.events[-1]
    assert data["order"] == (await gateway.client.get(f"/orders/{order}")).json(), name
    assert data["saga"] == (await gateway.client.get(f"/orders/{order}/saga")).json()
    assert listener.text.startswith("retry: 1000\n\n")
    assert gateway.watching.waiting == 0


async def test_who_comes_back_gets_the_newest_state_only(gateway: Gateway) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 1))
    await project(gateway, snapshot(order, 3))
    async with listening(gateway.running.app, order, last="1") as listener:
        await until(lambda: listener.told == [("progress", 3)])


async def test_who_comes_back_with_the_newest_state_waits_for_a_newer_one(
    gateway: Gateway,
) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 3))
    async with listening(gateway.running.app, order, last="3") as listener:
        await until(lambda: gateway.watching.waiting == 1)
        assert listener.told == []
        await project(gateway, snapshot(order, 4, state="COMPLETED", verdict="committed"))
        await until(lambda: listener.ended)
    assert listener.told == [("progress", 4), ("end", 4)]


async def test_who_has_seen_the_end_need_not_come_again(gateway: Gateway) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 4, state="COMPENSATED", verdict="compensated"))
    async with listening(gateway.running.app, order, last="4") as listener:
        await until(lambda: listener.ended)
    assert (listener.status, listener.text) == (204, "")


async def test_an_end_that_came_before_is_told_at_once(gateway: Gateway) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 4, state="COMPLETED", verdict="committed"))
    async with listening(gateway.running.app, order, last="nonsense") as listener:
        await until(lambda: listener.ended)
    assert listener.told == [("progress", 4), ("end", 4)]


async def test_a_stream_without_news_stays_alive_by_comments(database_url: str) -> None:
    async with gateway_at(database_url, stream_heartbeat_ms=10) as gateway:
        async with listening(gateway.running.app, await placed(gateway)) as listener:
            await until(lambda: listener.text.count(": still here\n\n") >= 2)
        assert listener.told == [("progress", 0)]


async def test_a_client_that_leaves_ends_its_stream(gateway: Gateway) -> None:
    async with listening(gateway.running.app, await placed(gateway)) as listener:
        await until(lambda: gateway.watching.waiting == 1)
        listener.left.set()
        await until(lambda: gateway.figure("sagaline_order_streams") == 0)
    assert gateway.watching.waiting == 0


async def test_a_stopping_gateway_ends_its_streams_so_that_they_come_again(
    gateway: Gateway,
) -> None:
    async with listening(gateway.running.app, await placed(gateway)) as listener:
        await until(lambda: gateway.watching.waiting == 1)
        gateway.running.stopping.set()
        await until(lambda: listener.ended)
    assert listener.told == [("progress", 0)]  # no end: a browser opens it again
    assert listener.text.startswith("retry: ")


async def test_more_streams_than_are_let_are_refused(database_url: str) -> None:
    async with gateway_at(database_url, streams_max=1) as gateway:
        order = await placed(gateway)
        async with listening(gateway.running.app, order):
            await until(lambda: gateway.watching.waiting == 1)
            refused = await gateway.client.get(f"/orders/{order}/events")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.json()["type"] == "https://sagaline.dev/problems/too-many-streams"


async def test_an_unknown_order_has_no_stream(gateway: Gateway) -> None:
    answer = await gateway.client.get(f"/orders/{UNKNOWN}/events")
    assert answer.status_code == 404


async def test_the_api_document_tells_of_the_stream(gateway: Gateway) -> None:
    paths = (await gateway.client.get("/openapi.json")).json()["paths"]
    get = paths["/orders/{order_id}/events"]["get"]
    assert set(get["responses"]["200"]["content"]) == {"text/event-stream"}
    assert {"204", "404", "503"} <= get["responses"].keys()
    assert "Last-Event-ID" in {parameter["name"] for parameter in get["parameters"]}
