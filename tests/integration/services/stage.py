"""What tests of the four participants share: their databases, and their HTTP sides."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

import httpx
from fastapi import APIRouter

from sagaline.chassis import web
from sagaline.chassis.database import Database
from tests import http_side

SERVICES: Final = ("order_service", "inventory_service", "payment_service", "notification_service")

Opened: TypeAlias = Callable[[str], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def client_of(router: APIRouter, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A service's HTTP side on this database, without sockets."""
    app = http_side.application(router)
    app.dependency_overrides[web.database] = lambda: database
    async with http_side.client_of(app) as client:
        yield client
