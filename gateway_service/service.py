"""The gateway, put together."""

from datetime import UTC, datetime

import schemas
from gateway_service import (
    api,
    handlers,
    intake,
    models,
    reminding,
    streaming,
    tailing,
    watching,
)
from gateway_service.news import News
from gateway_service.settings import GatewaySettings
from sagaline.chassis.service import Service


def service(settings: GatewaySettings | None = None) -> Service:
    """Wire the gateway. Opens nothing: connections live from `run()` to its end."""
    news = News()
    return Service(
        settings=settings or GatewaySettings(),
        catalog=schemas.CATALOG,  # it knows orders.requests.v1, too: nobody here names that topic
        metadata=models.GatewayTable.metadata,
        consumes={"sagas.events.v1": handlers.projection(lambda: datetime.now(UTC), news.tell)},
        router=api.router,
        parts=(
            intake.opened,
            reminding.opened,
            watching.opened(news),
            streaming.opened,
            tailing.opened,
        ),
    )
