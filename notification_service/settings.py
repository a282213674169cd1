"""The notification service's settings."""

from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from notification_service import domain
from sagaline.chassis.settings import ServiceSettings


class NotificationSettings(ServiceSettings):
    """The notification service's own, beside the shared `SAGALINE_*`; read once, at the start."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_NOTIFICATION_", frozen=True)
    service: ClassVar[str] = "notification_service"

    mailer: Literal["log", "smtp"] = Field(
        "log", description="What tells customers: lines in the log, or mails."
    )
    sender: str = Field("", description="Address that mails come from; needed for smtp.")
    address: str = Field(
        "",
        description="A customer's address, such as {customer_id}@example.org, or {customer_id}"
        " where ids are addresses; needed for smtp.",
    )
    smtp_host: str = Field("127.0.0.1", min_length=1, description="The mail server: a relay.")
    smtp_port: int = Field(587, ge=1, le=65_535, description="Its port.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Encryption: after the greeting, from the start, or none."
    )
    smtp_user: str = Field("", description="Name to log in with; without one nobody logs in.")
    smtp_password: SecretStr = Field(SecretStr(""), description="The password that goes with it.")
    smtp_timeout_ms: int = Field(
        4_000,
        ge=100,
        le=60_000,
        description="Limit of a mail, connecting included; then it is in doubt, and sent again.",
    )
    smtp_calls_max: int = Field(
        16, ge=1, le=1_000, description="Mails that are sent side by side, a connection each."
    )

    @model_validator(mode="after")
    def _can_mail(self) -> Self:
        if self.mailer == "log":
            return self
        if not domain.is_address(self.sender):
            raise ValueError(f"{self.env_name('sender')} is no mail address")
        if domain.address(self.address, "a") is None and self.address != "{customer_id}":
            raise ValueError(f"{self.env_name('address')} makes no mail addresses")
        if self.smtp_password.get_secret_value() and self.smtp_tls == "none":
            raise ValueError(f"{self.env_name('smtp_password')} would travel unencrypted")
        if self.smtp_timeout_ms >= self.revoke_timeout_ms:
            # Else each rebalance would leave mails in doubt, which are sent twice then.
            raise ValueError(
                f"{self.env_name('smtp_timeout_ms')} is not below "
                f"{self.env_name('revoke_timeout_ms')}"
            )
        return self
