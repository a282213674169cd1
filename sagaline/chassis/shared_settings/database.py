"""Shared settings of the database."""

from pydantic_settings import BaseSettings

from sagaline.chassis.shared_settings.bounded import bounded


class DatabaseSettings(BaseSettings):
    """PostgreSQL: connections, and limits of statements and migrations."""

    database_pool_size: int = bounded(
        "SAGALINE_DATABASE_POOL_SIZE",
        10,
        least=1,
        most=500,
        text="Connections to PostgreSQL, beside the relay's own session.",
    )
    database_timeout_ms: int = bounded(
        "SAGALINE_DATABASE_TIMEOUT_MS",
        5_000,
        least=100,
        most=600_000,
        text="Limit of connecting, of a wait for the pool, and of one statement.",
    )
    lock_timeout_ms: int = bounded(
        "SAGALINE_LOCK_TIMEOUT_MS",
        2_000,
        least=1,
        most=600_000,
        text="How long a migration waits for a table's lock before it gives up.",
    )
    migration_timeout_ms: int = bounded(
        "SAGALINE_MIGRATION_TIMEOUT_MS",
        600_000,
        least=1_000,
        most=86_400_000,
        text="Limit of one statement of a migration, and of the wait for another one to end.",
    )
