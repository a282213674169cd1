"""The debit service, put together."""

from typing import ClassVar

from pydantic_settings import SettingsConfigDict
from sqlalchemy import MetaData

import schemas
from debit_service import api, handlers
from sagaline.chassis.service import Service
from sagaline.chassis.settings import ServiceSettings


class DebitSettings(ServiceSettings):
    """The shared `SAGALINE_*`, and this service's place."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_DEBIT_", frozen=True)
    service: ClassVar[str] = "debit_service"


def service() -> Service:
    """Wire the service. Opens nothing: connections live while it runs."""
    return Service(
        settings=DebitSettings(),
        catalog=schemas.CATALOG,
        metadata=MetaData(),
        consumes={"debits.commands.v1": handlers.COMMANDS},
        router=api.router,
    )
