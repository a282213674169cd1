"""What a service process is told about the embedded platform, as environment variables."""

from typing import Protocol

from sagaline.local.platform_config import ServiceConfig
from sagaline.local.ports import LOOPBACK


class KafkaAddress(Protocol):
    """Kafka, as a service is told of it."""

    @property
    def bootstrap(self) -> str:
        """The address that clients are given."""


class PostgresAddress(Protocol):
    """PostgreSQL, as a service is told of it."""

    def url(self, database: str, role: str) -> str:
        """The URL of a database for a role, password included."""


def service_environment(
    service: ServiceConfig, *, kafka: KafkaAddress, postgres: PostgresAddress
) -> dict[str, str]:
    """Give the variables with which `service` finds Kafka, its database and its own ports."""
    own = service.settings_prefix
    return {
        "SAGALINE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "SAGALINE_HTTP_HOST": LOOPBACK,
        "SAGALINE_OPERATOR_HOST": LOOPBACK,
        f"{own}_HTTP_PORT": str(service.port),
        f"{own}_OPERATOR_PORT": str(service.operator_port),
        f"{own}_DATABASE_URL": postgres.url(service.name, f"{service.name}_app"),
        f"{own}_MIGRATION_URL": postgres.url(service.name, f"{service.name}_owner"),
    }
