"""The checks of readiness that every service has: its database, its relay, its consumer."""

import asyncio
from typing import Protocol

from asyncpg import InterfaceError, PostgresError
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from sagaline.chassis.running import Running


class Watched(Protocol):
    """A loop that knows what keeps it from working now, if anything."""

    @property
    def problem(self) -> str | None:
        """None while all is well."""
        ...


def watch_relay(running: Running, relay: Watched) -> None:
    """Readiness depends on what the relay says of itself."""
    _watch(running, "relay", relay)
    Gauge(
        "sagaline_relay_healthy",
        "1 while nothing keeps the relay from its work, else 0; /readyz says what does.",
        registry=running.metrics,
    ).set_function(lambda: float(relay.problem is None))


def watch_consumer(running: Running, consumer: Watched) -> None:
    """Readiness depends on what the consumer says of itself."""
    _watch(running, "consumer", consumer)
    Gauge(
        "sagaline_consumer_healthy",
        "1 while nothing keeps the consumer from its work, else 0; /readyz says what does.",
        registry=running.metrics,
    ).set_function(lambda: float(consumer.problem is None))


def _watch(running: Running, name: str, loop: Watched) -> None:
    """Both loops stand on Kafka."""

    async def check() -> str | None:
        problem = loop.problem
        return problem and f"{problem} (Kafka is {running.settings.kafka_bootstrap})"

    running.health.watch(name, check)


def watch_database(running: Running) -> None:
    """Readiness depends on the database's answer to a small question."""
    settings = running.settings

    async def check() -> str | None:
        try:
            async with asyncio.timeout(settings.ready_timeout_ms / 1000):
                async with running.database.transaction() as tx:
                    await tx.execute(text("SELECT 1"))
        except TimeoutError:
            reason = f"no answer within {settings.ready_timeout_ms} ms"
        except (SQLAlchemyError, PostgresError, InterfaceError, OSError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
        else:
            return None
        return f"{reason} (PostgreSQL is {settings.shown('database_url')})"

    running.health.watch("database", check)
    Gauge(
        "sagaline_database_sessions",
        "Sessions with the database that are in use; SAGALINE_DATABASE_POOL_SIZE is their limit.",
        registry=running.metrics,
    ).set_function(lambda: float(running.database.sessions_in_use))
