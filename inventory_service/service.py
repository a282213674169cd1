"""The inventory service, put together."""

import schemas
from inventory_service import api, handlers, models
from inventory_service.settings import InventorySettings
from sagaline.chassis.service import Service


def service(settings: InventorySettings | None = None) -> Service:
    """Wire the inventory service. Opens nothing: connections live from `run()` to its end."""
    return Service(
        settings=settings or InventorySettings(),
        catalog=schemas.CATALOG,  # it knows inventory.replies.v1, too: no handler names a topic
        metadata=models.InventoryTable.metadata,
        consumes={"inventory.commands.v1": handlers.COMMANDS},
        router=api.router,
    )
