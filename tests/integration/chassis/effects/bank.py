"""A provider outside: an HTTP server that charges under idempotency keys, and the port to it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias

import httpx

from sagaline.chassis.catalog import Message
from sagaline.chassis.effects import Call
from sagaline.chassis.errors import ProviderUnavailable

Mood: TypeAlias = Literal["well", "away", "declining", "garbled", "mad", "late", "silent"]


class Bank:
    """Charges each key once, however often it is asked to.

    `moods` says how it treats an order: `away` answers 503, `declining` refuses, `garbled` charges
    and answers no JSON, `mad` answers no JSON even when it is asked, `late` charges only when
    `let_go` is set, `silent` charges at once and answers when `let_go` is set.
    """

    def __init__(self) -> None:
        self.mood: Mood = "well"
        self.moods: dict[int, Mood] = {}
        self.charges: dict[str, dict[str, object]] = {}
        self.charged: Counter[str] = Counter()  # by key: what it costs if it isn't once
        self.calls: Counter[str] = Counter()  # by order and direction
        self.asked: Counter[str] = Counter()  # by key
        self.arrived = asyncio.Event()
        self.let_go = asyncio.Event()
        self.url = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Bank"]:
        """It listens on a port of its own for the block."""
        connections: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.add(asyncio.create_task(self._serve(reader, writer)))

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            self.let_go.set()
            server.close()
            await asyncio.gather(*connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            sizes = [line for line in head.lower().split("\r\n") if line.startswith("content-len")]
            body = await reader.readexactly(int(sizes[0].split(":")[1])) if sizes else b"{}"
            key = path.rpartition("/")[2]
            status, answer = await (
                self._charge(key, json.loads(body)) if method == "PUT" else self._find(key)
            )
            size = f"Content-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {status} -\r\n{size}".encode() + answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # who called is gone
        finally:
            writer.close()

    async def _charge(self, key: str, asked: dict[str, object]) -> tuple[int, bytes]:
        order, direction = int(str(asked["order"])), str(asked["direction"])
        mood = self.moods.get(order, self.mood)
        self.calls[f"{order} {direction}"] += 1
        self.arrived.set()
        if mood == "away":
            return 503, b"away"
        if mood == "late":
            await self.let_go.wait()
        if key not in self.charges:
            self.charged[f"{order} {direction}"] += 1
            self.charges[key] = asked | {"declined": mood == "declining"}
        if mood == "silent":
            await self.let_go.wait()
        return 200, b"<html>" if mood in ("garbled", "mad") else json.dumps(
            self.charges[key]
        ).encode()

    async def _find(self, key: str) -> tuple[int, bytes]:
        self.asked[key] += 1
        if self.mood == "away":
            return 503, b"away"
        found = self.charges.get(key)
        if found and self.moods.get(int(str(found["order"]))) == "mad":
            return 200, b"<html>"
        return (200, json.dumps(found).encode()) if found else (404, b"{}")


class BankClient:
    """The port to a bank, for effects: charges, and asks about charges. True: it was declined."""

    def __init__(self, bank: Bank, direction: str) -> None:
        self._bank = bank
        self._direction = direction

    async def charge(self, call: Call[Message]) -> bool:
        """Whether the charge was declined."""
        asked = {"order": call.message.order_id.int, "direction": self._direction}  # type: ignore[attr-defined]  # all of ours have one
        return _declined(await self._request("PUT", call, asked))

    async def find(self, call: Call[Message]) -> bool | None:
        """The same of a charge that may have been made; None where there is none."""
        answer = await self._request("GET", call, None)
        return None if answer.status_code == 404 else _declined(answer)

    async def _request(
        self, method: str, call: Call[Message], body: dict[str, object] | None
    ) -> httpx.Response:
        url = f"{self._bank.url}/charges/{call.key}"
        try:
            async with httpx.AsyncClient() as client:
                answer = await client.request(method, url, json=body, timeout=30)
        except httpx.TransportError as error:
            raise ProviderUnavailable(provider="bank", reason=type(error).__name__) from error
        if answer.status_code >= 500:
            raise ProviderUnavailable(provider="bank", reason=f"HTTP {answer.status_code}")
        return answer


def _declined(answer: httpx.Response) -> bool:
    return bool(answer.json()["declined"])
