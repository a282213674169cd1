"""The credit service, put together."""

from typing import ClassVar

from pydantic_settings import SettingsConfigDict
from sqlalchemy import MetaData

import schemas
from credit_service import api, handlers
from sagaline.chassis.service import Service
from sagaline.chassis.settings import ServiceSettings


class CreditSettings(ServiceSettings):
    """The shared `SAGALINE_*`, and this service's place."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_CREDIT_", frozen=True)
    service: ClassVar[str] = "credit_service"


def service() -> Service:
    """Wire the service. Opens nothing: connections live while it runs."""
    return Service(
        settings=CreditSettings(),
        catalog=schemas.CATALOG,
        metadata=MetaData(),
        consumes={"credits.commands.v1": handlers.COMMANDS},
        router=api.router,
    )
