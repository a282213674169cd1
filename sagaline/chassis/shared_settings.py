"""Settings that are the same for all services of a platform: `SAGALINE_*`.

Each carries its variable as an alias, since a service's own prefix would reach inherited fields.
"""

from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

HOST_PORT = r"[^\s:,]+:\d{1,5}"


def _bounded(variable: str, default: int | None, *, least: int, most: int, text: str) -> Any:  # noqa: ANN401  # as Field
    return Field(default, validation_alias=variable, ge=least, le=most, description=text)


class SharedSettings(BaseSettings):
    """Addresses, limits and times of a platform; units stand last in the names."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="forbid", env_ignore_empty=True
    )

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
    http_connections_max: int = _bounded(
        "SAGALINE_HTTP_CONNECTIONS_MAX",
        4_096,
        least=1,
        most=100_000,
        text="Open HTTP connections; one more gets 503.",
    )
    body_bytes_max: int = _bounded(
        "SAGALINE_BODY_BYTES_MAX",
        65_536,
        least=1_024,
        most=16_777_216,
        text="Largest body of an HTTP request; a larger one gets 413.",
    )
    ready_timeout_ms: int = _bounded(
        "SAGALINE_READY_TIMEOUT_MS",
        1_000,
        least=10,
        most=60_000,
        text="How long /readyz waits for the database's answer.",
    )
    start_wait_ms: int = _bounded(
        "SAGALINE_START_WAIT_MS",
        120_000,
        least=0,
        most=3_600_000,
        text="How long a start waits for PostgreSQL, and `topics` for Kafka.",
    )
    shutdown_grace_ms: int = _bounded(
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

    database_pool_size: int = _bounded(
        "SAGALINE_DATABASE_POOL_SIZE",
        10,
        least=1,
        most=500,
        text="Connections to PostgreSQL, beside the relay's own session.",
    )
    database_timeout_ms: int = _bounded(
        "SAGALINE_DATABASE_TIMEOUT_MS",
        5_000,
        least=100,
        most=600_000,
        text="Limit of connecting, of a wait for the pool, and of one statement.",
    )
    lock_timeout_ms: int = _bounded(
        "SAGALINE_LOCK_TIMEOUT_MS",
        2_000,
        least=1,
        most=600_000,
        text="How long a migration waits for a table's lock before it gives up.",
    )

    migration_timeout_ms: int = _bounded(
        "SAGALINE_MIGRATION_TIMEOUT_MS",
        600_000,
        least=1_000,
        most=86_400_000,
        text="Limit of one statement of a migration, and of the wait for another one to end.",
    )

    kafka_bootstrap: str = Field(
        "127.0.0.1:19092",
        validation_alias="SAGALINE_KAFKA_BOOTSTRAP",
        pattern=rf"^{HOST_PORT}(,{HOST_PORT})*$",
        description="Brokers to ask first: host:port, more of them after commas.",
    )
    process_slot: int = _bounded(
        "SAGALINE_PROCESS_SLOT",
        0,
        least=0,
        most=999,
        text="Number of this process among those of its service; unique, and kept over restarts.",
    )
    kafka_session_timeout_ms: int = _bounded(
        "SAGALINE_KAFKA_SESSION_TIMEOUT_MS",
        10_000,
        least=1_000,
        most=300_000,
        text="Without a heartbeat for so long, a group takes a member's partitions away.",
    )
    kafka_heartbeat_interval_ms: int = _bounded(
        "SAGALINE_KAFKA_HEARTBEAT_INTERVAL_MS",
        3_000,
        least=100,
        most=100_000,
        text="Time between a member's heartbeats; at most a third of the session timeout.",
    )
    kafka_request_timeout_ms: int = _bounded(
        "SAGALINE_KAFKA_REQUEST_TIMEOUT_MS",
        10_000,
        least=100,
        most=300_000,
        text="How long an answer of a broker is waited for.",
    )
    topic_partitions: int | None = _bounded(
        "SAGALINE_TOPIC_PARTITIONS",
        None,
        least=1,
        most=1_000,
        text="Partitions of every new topic, instead of the count in its catalog.",
    )
    topic_replicas: int = _bounded(
        "SAGALINE_TOPIC_REPLICAS",
        1,
        least=1,
        most=10,
        text="Copies of every new topic's partitions.",
    )

    batch_rows_max: int = _bounded(
        "SAGALINE_BATCH_ROWS_MAX",
        256,
        least=1,
        most=10_000,
        text="Records that one transaction handles.",
    )
    batch_rest_max_ms: int = _bounded(
        "SAGALINE_BATCH_REST_MAX_MS",
        50,
        least=0,
        most=1_000,
        text="After a batch the next one is gathered for as long as it took, at most this long.",
    )
    queue_rows_max: int = _bounded(
        "SAGALINE_QUEUE_ROWS_MAX",
        1_024,
        least=1,
        most=100_000,
        text="Fetched records that wait to be handled; beyond them fetching pauses.",
    )
    commit_interval_ms: int = _bounded(
        "SAGALINE_COMMIT_INTERVAL_MS",
        500,
        least=10,
        most=1_000,
        text="Time between commits of Kafka offsets, when idle too.",
    )
    watch_interval_ms: int = _bounded(
        "SAGALINE_WATCH_INTERVAL_MS",
        10_000,
        least=100,
        most=600_000,
        text="Time between looks at the lag; a consumer that stands still is made anew.",
    )
    revoke_timeout_ms: int = _bounded(
        "SAGALINE_REVOKE_TIMEOUT_MS",
        5_000,
        least=100,
        most=60_000,
        text="How long a batch in hand may hold up a rebalance.",
    )
    parked_keys_max: int = _bounded(
        "SAGALINE_PARKED_KEYS_MAX",
        20,
        least=1,
        most=1_000_000,
        text="Keys that are parked within the window; above it the consumer holds.",
    )
    parked_window_ms: int = _bounded(
        "SAGALINE_PARKED_WINDOW_MS",
        600_000,
        least=1_000,
        most=86_400_000,
        text="The window in which parked keys are counted.",
    )
    retention_horizon_ms: int = _bounded(
        "SAGALINE_RETENTION_HORIZON_MS",
        30 * 86_400_000,
        least=3_600_000,
        most=3_650 * 86_400_000,
        text="Commands older than this are parked, not executed; no topic may keep records longer.",
    )
    schema_wait_max_ms: int = _bounded(
        "SAGALINE_SCHEMA_WAIT_MAX_MS",
        600_000,
        least=0,
        most=86_400_000,
        text="How long a partition waits for the schema of its next record before it is parked.",
    )
    attempts_max: int = _bounded(
        "SAGALINE_ATTEMPTS_MAX",
        5,
        least=1,
        most=100,
        text="Failures of a record, alone in its transaction, after which it is parked.",
    )
    backoff_first_ms: int = _bounded(
        "SAGALINE_BACKOFF_FIRST_MS",
        100,
        least=1,
        most=60_000,
        text="Pause after the first failure; it doubles with each one.",
    )
    backoff_max_ms: int = _bounded(
        "SAGALINE_BACKOFF_MAX_MS",
        5_000,
        least=1,
        most=600_000,
        text="Longest pause between attempts.",
    )

    message_bytes_max: int = _bounded(
        "SAGALINE_MESSAGE_BYTES_MAX",
        262_144,
        least=1_024,
        most=1_000_000,
        text="Largest value of an outgoing message.",
    )
    relay_rows_max: int = _bounded(
        "SAGALINE_RELAY_ROWS_MAX",
        500,
        least=1,
        most=10_000,
        text="Outbox rows that are in flight to Kafka at once.",
    )
    relay_poll_min_ms: int = _bounded(
        "SAGALINE_RELAY_POLL_MIN_MS",
        20,
        least=1,
        most=10_000,
        text="Shortest time between looks at an outbox that nobody reported rows in.",
    )
    relay_poll_max_ms: int = _bounded(
        "SAGALINE_RELAY_POLL_MAX_MS",
        200,
        least=1,
        most=10_000,
        text="Longest time between looks at an outbox that nobody reported rows in.",
    )
    relay_idle_session_timeout_ms: int = _bounded(
        "SAGALINE_RELAY_IDLE_SESSION_TIMEOUT_MS",
        3_000,
        least=500,
        most=60_000,
        text="PostgreSQL ends the session of a relay that is silent for so long.",
    )
    relay_lock_poll_ms: int = _bounded(
        "SAGALINE_RELAY_LOCK_POLL_MS",
        500,
        least=10,
        most=60_000,
        text="Time between tries to take the outbox over from another process's relay.",
    )
    relay_tries_max: int = _bounded(
        "SAGALINE_RELAY_TRIES_MAX",
        60,
        least=1,
        most=10_000,
        text="Tries after which a row for an unknown topic is set aside.",
    )
    relay_drain_ms: int = _bounded(
        "SAGALINE_RELAY_DRAIN_MS",
        1_000,
        least=0,
        most=60_000,
        text="How long, at a stop, the relay goes on publishing what waits.",
    )
