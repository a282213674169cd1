"""Requests to the echo, and what is to come of them."""

import asyncio

import httpx

from sagaline.chassis.problems import Problem
from sagaline.chassis.service import Running
from tests.integration.echo import stage


def inside(running: Running) -> httpx.AsyncClient:
    """A client of the application, without a server between."""
    transport = httpx.ASGITransport(app=running.app)
    return httpx.AsyncClient(transport=transport, base_url="http://echo")


async def ready(client: httpx.AsyncClient) -> None:
    await stage.becomes(lambda: client.get("/readyz"), lambda answer: answer.status_code == 200)


async def heard(client: httpx.AsyncClient, note: str) -> None:
    await stage.becomes(lambda: client.get(note), lambda answer: answer.json()["heard"] == 1)


def problem(answer: httpx.Response, *, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate_json(answer.content)


async def refused(url: str) -> bool:
    """Nobody listens there any more."""
    where = httpx.URL(url)
    try:
        _, writer = await asyncio.open_connection(where.host, where.port)
    except ConnectionError:  # reset: it was closed while we were connecting
        return True
    writer.close()
    return False


async def in_flight(client: httpx.AsyncClient) -> bool:
    """A request to /held has come in; its line comes only when it is over."""
    figures = (await client.get("/metrics")).text
    return "sagaline_http_requests_in_flight 2.0" in figures
