"""Shared settings of a process."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from sagaline.chassis.shared_settings.bounded import bounded


class ProcessSettings(BaseSettings):
    """A process: its HTTP sides, its start and end, its log."""

    http_host: str = Field(
        "127.0.0.1",
        validation_alias="SAGALINE_HTTP_HOST",
        min_length=1,
        description="Address that the HTTP side listens on.",
    )
    operator_host: str = Field(
        "127.0.0.1",
        validation_alias="SAGALINE_OPERATOR_HOST",
        min_length=1,
        description="Address that the operators' side listens on; it asks nobody who they are.",
    )
    http_connections_max: int = bounded(
        "SAGALINE_HTTP_CONNECTIONS_MAX",
        4_096,
        least=1,
        most=100_000,
        text="Open HTTP connections; one more gets 503.",
    )
    body_bytes_max: int = bounded(
        "SAGALINE_BODY_BYTES_MAX",
        65_536,
        least=1_024,
        most=16_777_216,
        text="Largest body of an HTTP request; a larger one gets 413.",
    )
    ready_timeout_ms: int = bounded(
        "SAGALINE_READY_TIMEOUT_MS",
        1_000,
        least=10,
        most=60_000,
        text="How long /readyz waits for the database's answer.",
    )
    start_wait_ms: int = bounded(
        "SAGALINE_START_WAIT_MS",
        120_000,
        least=0,
        most=3_600_000,
        text="How long a start waits for PostgreSQL, and `topics` for Kafka.",
    )
    shutdown_grace_ms: int = bounded(
        "SAGALINE_SHUTDOWN_GRACE_MS",
        2_500,
        least=0,
        most=60_000,
        text="How long requests, and then the consumer, may take to end what they hold.",
    )
    log_format: Literal["json", "console"] = Field(
        "json",
        validation_alias="SAGALINE_LOG_FORMAT",
        description="One JSON object a line, or lines for people.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        validation_alias="SAGALINE_LOG_LEVEL",
        description="Lowest level that is logged.",
    )
