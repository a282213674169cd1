"""Shared settings of Kafka."""

from pydantic import Field
from pydantic_settings import BaseSettings

from sagaline.chassis.shared_settings.bounded import bounded

HOST_PORT = r"[^\s:,]+:\d{1,5}"


class KafkaSettings(BaseSettings):
    """Kafka: where it is, how a member of a group behaves, new topics."""

    kafka_bootstrap: str = Field(
        "127.0.0.1:19092",
        validation_alias="SAGALINE_KAFKA_BOOTSTRAP",
        pattern=rf"^{HOST_PORT}(,{HOST_PORT})*$",
        description="Brokers to ask first: host:port, more of them after commas.",
        examples=["kafka-1:9092,kafka-2:9092"],
    )
    process_slot: int | None = bounded(
        "SAGALINE_PROCESS_SLOT",
        None,
        least=0,
        most=999,
        text="Number of this process among those of its service, unique and kept over restarts: it "
        "then finds its partitions again. Without one they go to others at each end.",
    )
    kafka_session_timeout_ms: int = bounded(
        "SAGALINE_KAFKA_SESSION_TIMEOUT_MS",
        10_000,
        least=1_000,
        most=300_000,
        text="Without a heartbeat for so long, a group takes a member's partitions away.",
    )
    kafka_heartbeat_interval_ms: int = bounded(
        "SAGALINE_KAFKA_HEARTBEAT_INTERVAL_MS",
        3_000,
        least=100,
        most=100_000,
        text="Time between a member's heartbeats; at most a third of the session timeout.",
    )
    kafka_request_timeout_ms: int = bounded(
        "SAGALINE_KAFKA_REQUEST_TIMEOUT_MS",
        10_000,
        least=100,
        most=300_000,
        text="How long an answer of a broker is waited for.",
    )
    topic_partitions: int | None = bounded(
        "SAGALINE_TOPIC_PARTITIONS",
        None,
        least=1,
        most=1_000,
        text="Partitions of every new topic, instead of the count in its catalog.",
    )
    topic_replicas: int = bounded(
        "SAGALINE_TOPIC_REPLICAS",
        1,
        least=1,
        most=10,
        text="Copies of every new topic's partitions.",
    )
