"""The orchestrator's settings."""

from typing import ClassVar

from pydantic import Field, NonNegativeInt, PositiveInt
from pydantic_settings import SettingsConfigDict

from sagaline.chassis.settings import ServiceSettings


class OrchestratorSettings(ServiceSettings):
    """The orchestrator's own, beside the shared `SAGALINE_*`; read once, at the start."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_ORCHESTRATOR_", frozen=True)
    service: ClassVar[str] = "saga_orchestrator"

    step_timeout_ms: PositiveInt | None = Field(
        None,
        description="In place of every step's own time-out; a definition's limits are part of it, "
        "so this is for tests and trials.",
    )
    step_resends_max: PositiveInt | None = Field(
        None, description="In place of how often every step's command is sent again."
    )
    step_backoff_ms: PositiveInt | None = Field(
        None, description="In place of the growing wait before every step is sent again."
    )
    timer_tick_ms: PositiveInt = Field(
        200, le=60_000, description="How often due timers are looked for."
    )
    timer_batch_keys_max: PositiveInt = Field(
        500, le=10_000, description="Orders whose timers are dealt with in one transaction."
    )
    timer_kafka_timeout_ms: PositiveInt = Field(
        5_000, le=60_000, description="No answer by then: no timer fires, and all try again."
    )
    memory_sagas_max: NonNegativeInt = Field(
        10_000,
        le=1_000_000,
        description="Sagas under way that are kept in memory, too (an order of three lines takes "
        "14 KiB); 0: none.",
    )
