"""What can be set, read once at the start from the environment: a wrong value stops the start."""

import os
import socket
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sagaline.chassis.shared_settings import SharedSettings
from sagaline.chassis.shared_settings.files import variable_of

ORDERED = (
    ("backoff_first_ms", "backoff_max_ms"),
    ("relay_poll_min_ms", "relay_poll_max_ms"),
    ("batch_rows_max", "queue_rows_max"),
)


def _postgresql(url: SecretStr) -> SecretStr:
    # No message here repeats the URL: it has a password in it.
    try:
        parsed = make_url(url.get_secret_value())
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername != "postgresql" or not parsed.database:
        raise ValueError("expected postgresql://user:password@host:port/database")
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgresql)]


class ServiceSettings(SharedSettings):
    """Settings of a service; a subclass names its `service`, its prefix and what is its own."""

    service: ClassVar[str]  # also its package, database, consumer group and the stem of its roles

    database_url: DatabaseUrl = Field(
        SecretStr(""),
        description="PostgreSQL, as the role that runs the service (`<service>_app`).",
        examples=["postgresql://order_service_app:secret@db:5432/order_service"],
    )
    migration_url: DatabaseUrl = Field(
        SecretStr(""),
        description="PostgreSQL, as the role that owns the tables; used by `migrate` alone.",
        examples=["postgresql://order_service_owner:secret@db:5432/order_service"],
    )
    http_port: int = Field(0, ge=0, le=65_535, description="Port of the HTTP side; 0: a free one.")
    operator_port: int = Field(
        0, ge=0, le=65_535, description="Port of the operators' side; 0: a free one."
    )

    @model_validator(mode="before")
    @classmethod
    def _on_loopback(cls, given: dict[str, object]) -> dict[str, object]:
        """Unset, the databases are those of a platform on this computer, without a password."""
        local = "postgresql://{role}@127.0.0.1:15432/{name}"
        for field, role in (("database_url", "app"), ("migration_url", "owner")):
            given.setdefault(field, local.format(role=f"{cls.service}_{role}", name=cls.service))
        return given

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        for least, most in ORDERED:
            if getattr(self, least) > getattr(self, most):
                raise ValueError(f"{self.env_name(least)} is larger than {self.env_name(most)}")
        if self.kafka_heartbeat_interval_ms * 3 > self.kafka_session_timeout_ms:
            raise ValueError(
                f"{self.env_name('kafka_heartbeat_interval_ms')} is more than a third of "
                f"{self.env_name('kafka_session_timeout_ms')}"
            )
        return self

    @classmethod
    def env_name(cls, field: str) -> str:
        """The environment variable that sets `field`."""
        return variable_of(cls, field)

    @property
    def process_name(self) -> str:
        """What this process is called by others: by its slot, or by where it runs."""
        if self.process_slot is not None:
            return f"{self.service}-{self.process_slot}"
        return f"{self.service}-{socket.gethostname()}-{os.getpid()}"

    def shown(self, field: str) -> str:
        """The value of `field` for people's eyes: without passwords."""
        value = getattr(self, field)
        if isinstance(value, SecretStr):
            return _masked(value)
        return "" if value is None else str(value)


def _masked(secret: SecretStr) -> str:
    try:
        return make_url(secret.get_secret_value()).render_as_string(hide_password=True)
    except ArgumentError:
        return str(secret)
