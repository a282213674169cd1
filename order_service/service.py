"""The order service, put together."""

import schemas
from order_service import api, handlers, models
from order_service.settings import OrderSettings
from sagaline.chassis.service import Service


def service(settings: OrderSettings | None = None) -> Service:
    """Wire the order service. Opens nothing: connections live from `run()` to its end."""
    return Service(
        settings=settings or OrderSettings(),
        catalog=schemas.CATALOG,  # it knows orders.replies.v1, too: no handler names a topic
        metadata=models.OrderTable.metadata,
        consumes={"orders.commands.v1": handlers.COMMANDS},
        router=api.router,
    )
