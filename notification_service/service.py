"""The notification service, put together."""

import schemas
from notification_service import api, handlers, models
from notification_service.channel import LogChannel
from notification_service.settings import NotificationSettings
from sagaline.chassis import logs
from sagaline.chassis.service import Service


def service(settings: NotificationSettings | None = None) -> Service:
    """Wire the notification service. Opens nothing: connections live from `run()` to its end."""
    settings = settings or NotificationSettings()
    channel = LogChannel(logs.logger(settings.service))
    return Service(
        settings=settings,
        catalog=schemas.CATALOG,  # it knows notifications.replies.v1, too
        metadata=models.NotificationTable.metadata,
        consumes={"notifications.commands.v1": handlers.commands(channel)},
        router=api.router,
    )
