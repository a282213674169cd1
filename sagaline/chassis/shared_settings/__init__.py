"""Settings that are the same for all services of a platform: `SAGALINE_*`.

Each carries its variable as an alias, since a service's own prefix would reach inherited fields.
"""

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sagaline.chassis.shared_settings.consumer import ConsumerSettings
from sagaline.chassis.shared_settings.database import DatabaseSettings
from sagaline.chassis.shared_settings.files import FileSource
from sagaline.chassis.shared_settings.kafka import KafkaSettings
from sagaline.chassis.shared_settings.process import ProcessSettings
from sagaline.chassis.shared_settings.relay import RelaySettings
from sagaline.chassis.shared_settings.tracing import TracingSettings


# Fields of the last base come first, here and on the reference page.
class SharedSettings(
    TracingSettings,
    RelaySettings,
    ConsumerSettings,
    KafkaSettings,
    DatabaseSettings,
    ProcessSettings,
):
    """Addresses, limits and times of a platform; units stand last in the names."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="forbid", env_ignore_empty=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (pydantic-settings' own names)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (as above)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the program says, the environment, files that the environment names; defaults."""
        return init_settings, env_settings, FileSource(settings_cls)
