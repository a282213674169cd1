"""The notification service's settings."""

from typing import ClassVar

from pydantic_settings import SettingsConfigDict

from sagaline.chassis.settings import ServiceSettings


class NotificationSettings(ServiceSettings):
    """The shared `SAGALINE_*` and this service's place; it has nothing else to be set."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_NOTIFICATION_", frozen=True)
    service: ClassVar[str] = "notification_service"
