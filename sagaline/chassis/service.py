"""A service: its parts named once, and the order in which they start and end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import (
    checks,
    dead_letters_api,
    logs,
    metrics,
    migrate,
    outbox_api,
    replay_api,
    web,
    wiring,
)
from sagaline.chassis.background import Background
from sagaline.chassis.catalog import Catalog
from sagaline.chassis.codec import Codec
from sagaline.chassis.database import Database, open_engine
from sagaline.chassis.handlers import Consumes
from sagaline.chassis.health import Health
from sagaline.chassis.horizon import Horizon
from sagaline.chassis.operating import together
from sagaline.chassis.parked_count import ParkedCount
from sagaline.chassis.patience import StoppedWaiting, patiently
from sagaline.chassis.relay import Relay
from sagaline.chassis.replays import replaying
from sagaline.chassis.running import Part, Running
from sagaline.chassis.server import serving
from sagaline.chassis.settings import ServiceSettings
from sagaline.chassis.signals import signals

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

__all__ = ["Part", "Running", "Service"]

RELAY_END_MS = 3_000  # to close the producer and to leave the lane, after draining


@dataclass(frozen=True, slots=True)
class _Opened:
    """What stands before anything is connected."""

    running: Running
    engine: AsyncEngine
    relay: Relay


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a service consists of. Making one opens nothing: connections live while it runs.

    `consumes` has a table of command handlers, or a record handler, by topic. `parts` are opened in
    this order before the first record is handled, and closed after the last. `operators` has the
    routes of a port of their own, beside those that the chassis gives to every service's operators.
    """

    settings: ServiceSettings
    catalog: Catalog
    metadata: MetaData
    consumes: Consumes = field(default_factory=dict)
    router: APIRouter | None = None
    operators: APIRouter | None = None
    parts: Sequence[Part] = ()

    @property
    def name(self) -> str:
        """The service's name, which is its package's, its group's and its database's, too."""
        return self.settings.service

    def application(self) -> FastAPI:
        """The HTTP side, without anything behind it: for its OpenAPI document."""
        return self._applications(CollectorRegistry(), logs.logger(self.name))[0]

    def operator_application(self) -> FastAPI:
        """The operators' side, likewise."""
        return self._applications(CollectorRegistry(), logs.logger(self.name))[1]

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. /livez answers from the start, the rest when it can.

        Raises PlatformError when it can't start, and TaskFailed after a bug in a loop of its own.
        """
        async with self._opened() as opened:
            running = opened.running
            with signals(running.stopping, running.log):
                async with serving(running) as serves:
                    try:
                        async with self._started(opened):
                            await running.stopping.wait()
                            # In-flight requests end while all that they need is still open.
                            await serves.stop(running)
                    except StoppedWaiting as early:
                        running.log.info("stopped before the start", reason=str(early))
            running.log.info("stopped")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        """The service runs for the block, in this process; signals are left alone.

        `running.app` and `running.operator_app` answer without a server; `serving(running)` puts
        one before each.
        """
        async with self._opened() as opened, self._started(opened):
            yield opened.running

    def _applications(
        self,
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
        spans: "Spans | None" = None,
    ) -> tuple[FastAPI, FastAPI]:
        """What everybody sees, and what operators see: of one make, with one set of figures."""
        figures, bytes_max = metrics.HttpMetrics(registry), self.settings.body_bytes_max
        everybody, operators = (
            web.application(
                title=title,
                router=router,
                body_bytes_max=bytes_max,
                metrics=figures,
                log=log,
                spans=spans,
            )
            for title, router in (
                (self.name, self.router),
                (
                    f"{self.name}, for its operators",
                    together(
                        dead_letters_api.router,
                        outbox_api.router,
                        replay_api.router,
                        self.operators,
                    ),
                ),
            )
        )
        return everybody, operators

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[_Opened]:
        settings, log, stopping = self.settings, logs.logger(self.name), asyncio.Event()
        registry = metrics.open_registry(settings)
        export = wiring.span_export_of(settings, registry)
        spans = None if export is None else export.spans
        codec = Codec(self.catalog, bytes_max=settings.message_bytes_max)
        outbox = wiring.outbox_of(settings, codec, spans)
        relay = wiring.relay_of(settings, outbox, registry=registry, log=log, spans=spans)
        engine = open_engine(
            settings.database_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            command_timeout_s=settings.database_timeout_ms / 1000,
        )
        app, operator_app = self._applications(registry, log, spans)
        running = Running(
            service=self.name,
            settings=settings,
            database=Database(engine, flush=outbox.flush, committed=relay.wake, spans=spans),
            catalog=self.catalog,
            codec=codec,
            log=log,
            metrics=registry,
            app=app,
            operator_app=operator_app,
            health=Health(),
            background=Background(stopping, log),
            stopping=stopping,
            spans=spans,
        )
        app.state.running = operator_app.state.running = running
        checks.watch_database(running)
        try:
            yield _Opened(running, engine, relay)
            running.background.raise_failure()
        finally:
            stopping.set()
            await running.background.close()
            await running.database.close()
            if export is not None:
                await export.close()

    @asynccontextmanager
    async def _started(self, opened: _Opened) -> AsyncIterator[None]:
        """Everything runs for the block. It ends in the opposite order: the relay goes last,

        since what the consumer and the parts commit while they end is to leave, too.
        """
        running, stopping = opened.running, opened.running.stopping
        horizon = Horizon(self.settings.retention_horizon_ms)
        horizon.covers(self.catalog.topics[name] for name in self.consumes)
        await self._wait_for_tables(opened)
        relay_stopping = asyncio.Event()
        running.background.start("relay", opened.relay.run(relay_stopping))
        checks.watch_relay(running, opened.relay)
        try:
            async with AsyncExitStack() as parts:
                for part in (replaying, *self.parts):
                    running.parts.append(await parts.enter_async_context(part(running)))
                inbox = wiring.inbox_of(running, self.consumes)
                running.parts.append(wiring.dead_letters_of(running, self.consumes, inbox))
                parked = ParkedCount(running.database, running.metrics, running.log)
                running.background.start("parked_count", parked.run(stopping))
                if self.consumes:
                    consumer = wiring.consumer_of(running, self.consumes, inbox)
                    running.parts.append(consumer)
                    running.background.start("consumer", consumer.run(stopping))
                    checks.watch_consumer(running, consumer)
                running.health.started = True
                running.log.info("started", topics=sorted(self.consumes))
                try:
                    yield
                finally:
                    stopping.set()
                    await running.background.end("parked_count", within_ms=1_000)
                    await running.background.end(
                        "consumer", within_ms=self.settings.shutdown_grace_ms
                    )
        finally:
            relay_stopping.set()
            await running.background.end(
                "relay", within_ms=self.settings.relay_drain_ms + RELAY_END_MS
            )

    async def _wait_for_tables(self, opened: _Opened) -> None:
        wanted = migrate.chains(self.name)
        assert len(wanted) > 1 or not self.metadata.tables, f"{self.name} has no migrations"
        await patiently(
            lambda: migrate.check(opened.engine, wanted, service=self.name),
            what=self.settings.shown("database_url"),
            wait_ms=self.settings.start_wait_ms,
            log=opened.running.log,
            stopping=opened.running.stopping,
        )
