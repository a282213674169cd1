"""Shared settings of the consumer."""

from pydantic_settings import BaseSettings

from sagaline.chassis.shared_settings.bounded import bounded


class ConsumerSettings(BaseSettings):
    """What a service makes of records: batches, parking, tries again."""

    batch_rows_max: int = bounded(
        "SAGALINE_BATCH_ROWS_MAX",
        256,
        least=1,
        most=10_000,
        text="Records that one transaction handles.",
    )
    batch_rest_max_ms: int = bounded(
        "SAGALINE_BATCH_REST_MAX_MS",
        50,
        least=0,
        most=1_000,
        text="After a batch of several records the next is gathered for as long, at most this.",
    )
    queue_rows_max: int = bounded(
        "SAGALINE_QUEUE_ROWS_MAX",
        1_024,
        least=1,
        most=100_000,
        text="Fetched records that wait to be handled; beyond them fetching pauses.",
    )
    commit_interval_ms: int = bounded(
        "SAGALINE_COMMIT_INTERVAL_MS",
        500,
        least=10,
        most=1_000,
        text="Time between commits of Kafka offsets, when idle too.",
    )
    watch_interval_ms: int = bounded(
        "SAGALINE_WATCH_INTERVAL_MS",
        10_000,
        least=100,
        most=600_000,
        text="Time between looks at the lag; a consumer that stands still is made anew.",
    )
    revoke_timeout_ms: int = bounded(
        "SAGALINE_REVOKE_TIMEOUT_MS",
        5_000,
        least=100,
        most=60_000,
        text="How long a batch in hand may hold up a rebalance.",
    )
    parked_keys_max: int = bounded(
        "SAGALINE_PARKED_KEYS_MAX",
        20,
        least=1,
        most=1_000_000,
        text="Keys that are parked within the window; above it the consumer holds.",
    )
    parked_window_ms: int = bounded(
        "SAGALINE_PARKED_WINDOW_MS",
        600_000,
        least=1_000,
        most=86_400_000,
        text="The window in which parked keys are counted.",
    )
    retention_horizon_ms: int = bounded(
        "SAGALINE_RETENTION_HORIZON_MS",
        30 * 86_400_000,
        least=3_600_000,
        most=3_650 * 86_400_000,
        text="Commands older than this are parked, not executed; no topic may keep records longer.",
    )
    schema_wait_max_ms: int = bounded(
        "SAGALINE_SCHEMA_WAIT_MAX_MS",
        600_000,
        least=0,
        most=86_400_000,
        text="How long a partition waits for the schema of its next record before it is parked.",
    )
    attempts_max: int = bounded(
        "SAGALINE_ATTEMPTS_MAX",
        5,
        least=1,
        most=100,
        text="Failures of a record, alone in its transaction, after which it is parked.",
    )
    backoff_first_ms: int = bounded(
        "SAGALINE_BACKOFF_FIRST_MS",
        100,
        least=1,
        most=60_000,
        text="Pause after the first failure; it doubles with each one.",
    )
    backoff_max_ms: int = bounded(
        "SAGALINE_BACKOFF_MAX_MS",
        5_000,
        least=1,
        most=600_000,
        text="Longest pause between attempts.",
    )
