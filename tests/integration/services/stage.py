"""What tests of the four participants share: their databases, and their HTTP sides."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Final, TypeAlias

import httpx
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

import schemas
from sagaline.chassis import logs, migrate, web
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.metrics import HttpMetrics
from sagaline.chassis.outbox import Outbox

SERVICES: Final = ("order_service", "inventory_service", "payment_service", "notification_service")

Opened: TypeAlias = Callable[[str], AbstractAsyncContextManager[Database]]


async def migrated(url: str, service: str) -> None:
    """The database at `url`, opened as its owner, has the service's tables."""
    engine = open_engine(url, pool_size=1, command_timeout_s=10)
    chains = migrate.chains(service)
    await migrate.upgrade(engine, chains, lock_timeout_ms=2_000, upgraded=lambda *_: None)
    await engine.dispose()


@asynccontextmanager
async def database_at(url: str, service: str) -> AsyncIterator[Database]:
    """The database at `url`, opened as the service opens its own: with its outbox."""
    outbox = Outbox(
        Codec(schemas.CATALOG),
        service=service,
        message_bytes_max=262_144,
        clock=lambda: datetime.now(UTC),
    )
    database = Database(open_engine(url, pool_size=8, command_timeout_s=10), flush=outbox.flush)
    yield database
    await database.close()


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
