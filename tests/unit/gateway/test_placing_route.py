"""Orders are placed by a way of their own, on which they mean what FastAPI takes them for."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi import APIRouter

from gateway_service import api, domain
from tests.http_side import application, client_of

LAMP = {"sku": "LAMP", "quantity": 1}
AN_ORDER = {"customer_id": "c-1", "currency": "EUR", "lines": [LAMP]}
USUAL = json.dumps(AN_ORDER).encode()
JSON = ("Content-Type", "application/json")
THE_ORDER = UUID(int=7)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Asked:
    """Both parts that the endpoint depends on: they note what they are asked."""

    calls: list[object] = field(default_factory=list)
    has_room = True

    def part(self, _: object) -> "Asked":
        return self

    async def accept(self, order: domain.Order, *, key: str | None, traceparent: str) -> Any:
        self.calls.append((order, key, traceparent[:36]))
        return domain.Accepted(THE_ORDER, domain.PlacedOrder(THE_ORDER, order, NOON, None))

    async def until(self, *_: object, wait_s: float, **others: Any) -> None:
        others["gone"].close()
        self.calls.append(wait_s)


def fastapis_own() -> APIRouter:
    router = APIRouter(prefix="/orders")
    router.add_api_route("", api.place_order, methods=["POST"], status_code=202)
    return router


async def answer(
    router: APIRouter, body: bytes, headers: list[tuple[str, str]]
) -> tuple[object, ...]:
    """What the client gets, and what the parts were asked."""
    asked = Asked()
    app = application(router, random_bytes=bytes)
    app.state.running = asked
    async with client_of(app) as client:
        got = await client.post("/orders", content=body, headers=headers)
    return got.status_code, got.text, sorted(got.headers.items()), asked.calls


def changed(**changes: object) -> bytes:
    return json.dumps(AN_ORDER | changes).encode()


BODIES = {
    "usual": USUAL,
    "spaced": b"\n " + json.dumps(AN_ORDER, indent=2).encode() + b"\r\n",
    "escaped": USUAL.replace(b"c-1", b"c\\u002d1"),
    "with a mark in front": b"\xef\xbb\xbf" + USUAL,
    "in UTF-16": json.dumps(AN_ORDER).encode("utf-16"),
    "no UTF-8": USUAL.replace(b"c-1", b"c-\xff"),
    "half a pair": USUAL.replace(b"c-1", b"\\ud800"),
    "a name twice, the second good": USUAL.replace(b"{", b'{"currency": 7, ', 1),
    "a name twice, the second bad": USUAL.removesuffix(b"}") + b', "currency": 7}',
    "a SKU's quantity twice": USUAL.replace(b'"quantity": 1', b'"quantity": 0, "quantity": 3'),
    "an integer as text": changed(lines=[LAMP | {"quantity": "1"}]),
    "an integer with a point": changed(lines=[LAMP | {"quantity": 1.0}]),
    "an integer with an exponent": USUAL.replace(b": 1}", b": 1e0}"),
    "minus zero": USUAL.replace(b": 1}", b": -0}"),
    "a leading zero": USUAL.replace(b": 1}", b": 01}"),
    "true": changed(lines=[LAMP | {"quantity": True}]),
    "not a number": USUAL.replace(b": 1}", b": NaN}"),
    "a huge number": USUAL.replace(b": 1}", b": " + b"9" * 5_000 + b"}"),
    "too many": changed(lines=[LAMP | {"quantity": 10_001}]),
    "unknown field": changed(more=1),
    "missing field": json.dumps({"customer_id": "c-1"}).encode(),
    "SKU twice": changed(lines=[LAMP, LAMP]),
    "no lines": changed(lines=[]),
    "unknown currency": changed(currency="XXY"),
    "a line's end after the id": changed(customer_id="c-1\n"),
    "a list": b"[]",
    "null": b"null",
    "empty": b"",
    "cut off": USUAL[:-1],
    "more behind it": USUAL + b"}",
    "deep": b"[" * 5_000,
    "with a NUL": USUAL.replace(b"c-1", b"c\\u0000"),
}
HEADERS = {
    "none": [],
    "usual": [JSON],
    "with a charset": [("Content-Type", "application/json; charset=utf-8")],
    "of another kind of JSON": [("Content-Type", "application/merge-patch+json")],
    "in capitals": [("Content-Type", "Application/JSON")],
    "text": [("Content-Type", "text/plain")],
    "of two types": [JSON, ("Content-Type", "text/plain")],
    "with a key": [JSON, ("Idempotency-Key", "k 1~")],
    "with an empty key": [JSON, ("Idempotency-Key", "")],
    "with a long key": [JSON, ("Idempotency-Key", "k" * 256)],
    "with a foreign key": [
        JSON,
        ("Idempotency-Key", "schlüssel"),
    ],
    "with two keys": [JSON, ("Idempotency-Key", "k"), ("Idempotency-Key", "l")],
    "with a wish": [JSON, ("Prefer", "wait=7")],
    "with two wishes": [JSON, ("Prefer", "respond-async"), ("Prefer", "wait=8")],
    "with an empty wish": [JSON, ("Prefer", "")],
    "with a trace": [JSON, ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")],
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_any_body_means_what_fastapi_takes_it_for(body: bytes) -> None:
    assert await answer(api.router, body, [JSON]) == await answer(fastapis_own(), body, [JSON])


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
async def test_any_headers_mean_what_fastapi_takes_them_for(headers: list[tuple[str, str]]) -> None:
    given = [(name, value.encode("latin-1")) for name, value in headers]
    quick = await answer(api.router, USUAL, given)  # type: ignore[arg-type]  # httpx takes bytes
    assert quick == await answer(fastapis_own(), USUAL, given)  # type: ignore[arg-type]  # so


async def test_what_is_usual_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starlette.routing.Router.__call__", None)
    status, _, _, asked = await answer(api.router, USUAL, [JSON, ("Prefer", "wait=7")])
    assert (status, asked[-1]) == (202, 7)  # type: ignore[index]  # the list of calls
