"""The payment service's settings."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sagaline.chassis.settings import ServiceSettings
from schemas.currencies import Currency


class PaymentSettings(ServiceSettings):
    """The payment service's own, beside the shared `SAGALINE_*`; read once, at the start."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_PAYMENT_", frozen=True)
    service: ClassVar[str] = "payment_service"

    default_limit_minor: int = Field(
        100_000,
        ge=0,
        le=1_000_000_000_000_000,
        description="Limit of an account that a customer's first order opens, in minor units.",
    )
    default_currency: Currency = Field(
        "EUR", description="ISO 4217 code of an account that a customer's first order opens."
    )
