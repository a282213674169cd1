"""A gateway without Kafka, as far as orders are accepted: tables, intake and HTTP side."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from sqlalchemy import text

import schemas
from gateway_service import api, intake, streaming, watching
from gateway_service.intake import Intake
from gateway_service.news import News
from gateway_service.settings import GatewaySettings
from gateway_service.watching import Watching
from sagaline.chassis import logs, migrate, web
from sagaline.chassis.background import Background
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.health import Health
from sagaline.chassis.metrics import HttpMetrics
from sagaline.chassis.outbox import Outbox
from sagaline.chassis.running import Running

AN_ORDER = {"customer_id": "c-1", "currency": "EUR", "lines": [{"sku": "LAMP", "quantity": 1}]}


@dataclass(frozen=True)
class Gateway:
    """One gateway process; `running` as its parts see it."""

    client: httpx.AsyncClient
    running: Running
    intake: Intake
    watching: Watching
    news: News

    async def post(
        self, order: object = AN_ORDER, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Place an order."""
        if key is not None:
            headers["idempotency-key"] = key
        return await self.client.post("/orders", json=order, headers=headers)

    async def rows(self, query: str) -> Sequence[Any]:
        """What a query finds in the gateway's database."""
        async with self.running.database.transaction() as tx:
            return (await tx.execute(text(query))).all()

    async def counts(self) -> tuple[int, int, int]:
        """How many orders, idempotency keys and outbox rows there are."""
        query = (
            "SELECT (SELECT count(*) FROM order_request), (SELECT count(*) FROM idempotency_key),"
            " (SELECT count(*) FROM sagaline.outbox)"
        )
        ((orders, keys, messages),) = await self.rows(query)
        return orders, keys, messages

    def figure(self, name: str, **labels: str) -> float:
        """A figure of its metrics; 0 if it was never touched."""
        return self.running.metrics.get_sample_value(name, labels) or 0


async def migrated(url: str) -> None:
    """The database at `url`, opened as its owner, has the gateway's tables."""
    engine = migrate.open_engine(url, connect_timeout_s=10, statement_timeout_s=10)
    chains = migrate.chains("gateway_service")
    await migrate.upgrade(engine, chains, lock_timeout_ms=2_000, upgraded=lambda *_: None)
    await engine.dispose()


@asynccontextmanager
async def gateway_at(database_url: str, **settings: int) -> AsyncIterator[Gateway]:
    """A gateway on this database for the block."""
    chosen = GatewaySettings.model_validate({"database_url": database_url, **settings})
    running = _running(chosen)
    running.app.state.running = running
    news = News()
    async with AsyncExitStack() as parts:
        taking = await parts.enter_async_context(intake.opened(running))
        for part in (watching.opened(news), streaming.opened):
            running.parts.append(await parts.enter_async_context(part(running)))
        running.parts.append(taking)
        transport = httpx.ASGITransport(app=running.app)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield Gateway(client, running, taking, running.part(Watching), news)
        finally:
            running.stopping.set()
    await running.database.close()
    running.background.raise_failure()


def _running(settings: GatewaySettings) -> Running:
    log, registry, stopping = logs.logger("test"), CollectorRegistry(), asyncio.Event()
    codec = Codec(schemas.CATALOG, bytes_max=settings.message_bytes_max)
    outbox = Outbox(
        codec,
        service=settings.service,
        message_bytes_max=settings.message_bytes_max,
        clock=lambda: datetime.now(UTC),
    )
    engine = open_engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        command_timeout_s=settings.database_timeout_ms / 1000,
    )
    app = web.application(
        title="test",
        router=api.router,
        body_bytes_max=settings.body_bytes_max,
        metrics=HttpMetrics(registry),
        log=log,
    )
    return Running(
        service=settings.service,
        settings=settings,
        database=Database(engine, flush=outbox.flush),
        catalog=schemas.CATALOG,
        codec=codec,
        log=log,
        metrics=registry,
        app=app,
        operator_app=app,
        health=Health(),
        background=Background(stopping, log),
        stopping=stopping,
    )


async def until(true: Callable[[], bool]) -> None:
    """Let others run until it is so."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  # nothing tells when it is
            await asyncio.sleep(0)


async def somebody_waits_for_a_lock(gateway: Gateway) -> None:
    """Wait until a statement in the gateway's database stands before another's lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(20):
        while (await gateway.rows(query))[0][0] == 0:  # noqa: ASYNC110  # PostgreSQL won't tell
            await asyncio.sleep(0.01)
