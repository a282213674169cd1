"""What tests of the four participants share: their databases, and their HTTP sides."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

import httpx
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from sagaline.chassis import logs, web
from sagaline.chassis.database import Database
from sagaline.chassis.metrics import HttpMetrics

SERVICES: Final = ("order_service", "inventory_service", "payment_service", "notification_service")

Opened: TypeAlias = Callable[[str], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def client_of(router: APIRouter, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A service's HTTP side on this database, without sockets."""
    app = web.application(
        title="test",
        router=router,
        body_bytes_max=65_536,
        metrics=HttpMetrics(CollectorRegistry()),
        log=logs.logger("test"),
    )
    app.dependency_overrides[web.database] = lambda: database
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
