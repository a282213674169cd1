"""The orchestrator, put together: the engine does the work."""

from typing import ClassVar

from pydantic_settings import SettingsConfigDict

import schemas
from sagaline.chassis.service import Service
from sagaline.chassis.settings import ServiceSettings
from sagaline.engine import api, tables
from sagaline.engine.assembly import SagaEngine
from transfer_orchestrator.transfer import TRANSFER


class TransferSettings(ServiceSettings):
    """The shared `SAGALINE_*`, and this service's place."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_TRANSFER_", frozen=True)
    service: ClassVar[str] = "transfer_orchestrator"


def service() -> Service:
    """Wire the orchestrator. Opens nothing: connections live while it runs."""
    engine = SagaEngine((TRANSFER,), catalog=schemas.CATALOG)
    return Service(
        settings=TransferSettings(),
        catalog=schemas.CATALOG,
        metadata=tables.METADATA,
        consumes=engine.consumes,
        operators=api.router,
        parts=(engine.timers,),
    )
