"""An order is read by a way of its own, on which a request means what FastAPI takes it for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi import APIRouter

from gateway_service import api, domain, repository
from tests.http_side import application, client_of

THE_ID = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORDER = domain.Order("c-1", "EUR", (domain.Line("LAMP", 1),))


@dataclass
class Asked:
    """Parts and database in one: they note what they are asked."""

    calls: list[object] = field(default_factory=list)
    has_room = True

    @property
    def database(self) -> "Asked":
        return self

    def part(self, _: object) -> "Asked":
        return self

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Asked"]:
        yield self

    async def until(self, order_id: UUID, *_: object, wait_s: float, **others: Any) -> None:
        others["gone"].close()
        self.calls.append((order_id, wait_s))


async def placed_order(tx: Asked, order_id: UUID) -> domain.PlacedOrder | None:
    """The one order that there is."""
    tx.calls.append(order_id)
    if order_id != UUID(THE_ID):
        return None
    return domain.PlacedOrder(order_id, ORDER, NOON, None)


@pytest.fixture(autouse=True)
def _one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "placed_order", placed_order)


def fastapis_own() -> APIRouter:
    router = APIRouter(prefix="/orders")
    router.add_api_route("/{order_id}", api.get_order, methods=["GET"])
    return router


async def answer(
    router: APIRouter, path: str, headers: list[tuple[bytes, bytes]]
) -> tuple[object, ...]:
    """What the client gets, and what was asked."""
    asked = Asked()
    app = application(router, random_bytes=bytes)
    app.state.running = asked
    async with client_of(app) as client:
        got = await client.get(path, headers=headers)
    return got.status_code, got.text, sorted(got.headers.items()), asked.calls


IDS = {
    "usual": THE_ID,
    "of another order": str(UUID(int=7)),
    "in capitals": THE_ID.upper(),
    "without hyphens": THE_ID.replace("-", ""),
    "in braces": "{" + THE_ID + "}",
    "as a name": f"urn:uuid:{THE_ID}",
    "escaped": THE_ID.replace("-", "%2D"),
    "with a query": f"{THE_ID}?order_id=7&wait=3",
    "with a space": f"{THE_ID}%20",
    "cut off": THE_ID[:-1],
    "a number": "7",
    "no ASCII": "%C3%A4",
    "no UTF-8": "%ff",
}
HEADERS = {
    "none": [],
    "a wish": [(b"Prefer", b"wait=7")],
    "two wishes": [(b"Prefer", b"respond-async"), (b"Prefer", b"wait=8")],
    "an empty wish": [(b"Prefer", b"")],
    "a foreign wish": [(b"Prefer", "wärten=7".encode("latin-1"))],
    "what it is": [(b"If-None-Match", b'W/"0"')],
    "among others": [(b"If-None-Match", b'W/"7"'), (b"If-None-Match", b'"3", W/"0"')],
    "what it is not": [(b"If-None-Match", b'W/"7"')],
    "anything": [(b"If-None-Match", b"*")],
    "a wish and what it is": [(b"Prefer", b"wait=7"), (b"If-None-Match", b'W/"0"')],
    "a body's type": [(b"Content-Type", b"text/plain")],
}


@pytest.mark.parametrize("order_id", IDS.values(), ids=IDS)
async def test_any_id_means_what_fastapi_takes_it_for(order_id: str) -> None:
    path = f"/orders/{order_id}"
    assert await answer(api.router, path, []) == await answer(fastapis_own(), path, [])


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
async def test_any_headers_mean_what_fastapi_takes_them_for(
    headers: list[tuple[bytes, bytes]],
) -> None:
    path = f"/orders/{THE_ID}"
    assert await answer(api.router, path, headers) == await answer(fastapis_own(), path, headers)


async def test_what_is_usual_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starlette.routing.Router.__call__", None)
    status, _, _, asked = await answer(api.router, f"/orders/{THE_ID}", [(b"Prefer", b"wait=7")])
    assert (status, asked) == (200, [(UUID(THE_ID), 7), UUID(THE_ID)])
