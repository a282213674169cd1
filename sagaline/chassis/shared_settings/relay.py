"""Shared settings of the relay."""

from pydantic_settings import BaseSettings

from sagaline.chassis.shared_settings.bounded import bounded


class RelaySettings(BaseSettings):
    """What leaves a service: messages, and the relay that publishes them."""

    message_bytes_max: int = bounded(
        "SAGALINE_MESSAGE_BYTES_MAX",
        262_144,
        least=1_024,
        most=1_000_000,
        text="Largest value of an outgoing message.",
    )
    relay_rows_max: int = bounded(
        "SAGALINE_RELAY_ROWS_MAX",
        500,
        least=1,
        most=10_000,
        text="Outbox rows that are in flight to Kafka at once.",
    )
    relay_poll_min_ms: int = bounded(
        "SAGALINE_RELAY_POLL_MIN_MS",
        200,
        least=1,
        most=10_000,
        text="Time to the next look at an outbox after rows were sent; it doubles with each look.",
    )
    relay_poll_max_ms: int = bounded(
        "SAGALINE_RELAY_POLL_MAX_MS",
        1_000,
        least=1,
        most=10_000,
        text="Longest time between looks at an outbox that nobody reported rows in.",
    )
    relay_idle_session_timeout_ms: int = bounded(
        "SAGALINE_RELAY_IDLE_SESSION_TIMEOUT_MS",
        3_000,
        least=500,
        most=60_000,
        text="PostgreSQL ends the session of a relay that is silent for so long.",
    )
    relay_lock_poll_ms: int = bounded(
        "SAGALINE_RELAY_LOCK_POLL_MS",
        500,
        least=10,
        most=60_000,
        text="Time between tries to take the outbox over from another process's relay.",
    )
    relay_tries_max: int = bounded(
        "SAGALINE_RELAY_TRIES_MAX",
        60,
        least=1,
        most=10_000,
        text="Tries after which a row for an unknown topic is set aside.",
    )
    relay_drain_ms: int = bounded(
        "SAGALINE_RELAY_DRAIN_MS",
        1_000,
        least=0,
        most=60_000,
        text="How long, at a stop, the relay goes on publishing what waits.",
    )
