"""Settings that are the same for all services of a platform: `SAGALINE_*`.

Each carries its variable as an alias, since a service's own prefix would reach inherited fields.
"""

from pydantic_settings import SettingsConfigDict

from sagaline.chassis.shared_settings.consumer import ConsumerSettings
from sagaline.chassis.shared_settings.database import DatabaseSettings
from sagaline.chassis.shared_settings.kafka import KafkaSettings
from sagaline.chassis.shared_settings.process import ProcessSettings
from sagaline.chassis.shared_settings.relay import RelaySettings


# Fields of the last base come first, here and on the reference page.
class SharedSettings(
    RelaySettings, ConsumerSettings, KafkaSettings, DatabaseSettings, ProcessSettings
):
    """Addresses, limits and times of a platform; units stand last in the names."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="forbid", env_ignore_empty=True
    )
