"""A service's HTTP side in tests: its routes on an application, and a client without sockets."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from os import urandom

import httpx
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from sagaline.chassis import logs, web
from sagaline.chassis.metrics import HttpMetrics


def application(
    router: APIRouter,
    *,
    registry: CollectorRegistry | None = None,
    random_bytes: Callable[[int], bytes] = urandom,
) -> FastAPI:
    """The application; what its endpoints depend on is the caller's to give it."""
    return web.application(
        title="test",
        router=router,
        body_bytes_max=65_536,
        metrics=HttpMetrics(registry or CollectorRegistry()),
        log=logs.logger("test"),
        random_bytes=random_bytes,
    )


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that asks this application."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
