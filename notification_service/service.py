"""The notification service, put together."""

import schemas
from notification_service import api, handlers, models
from notification_service.mailer import LogBook
from notification_service.settings import NotificationSettings
from notification_service.smtp import SmtpMailer
from sagaline.chassis import logs, wiring
from sagaline.chassis.effects import Port
from sagaline.chassis.handlers import EffectTable
from sagaline.chassis.service import Service


def service(settings: NotificationSettings | None = None) -> Service:
    """Wire the notification service. Opens nothing: connections live from `run()` to its end."""
    settings = settings or NotificationSettings()
    return Service(
        settings=settings,
        catalog=schemas.CATALOG,  # it knows notifications.replies.v1, too
        metadata=models.NotificationTable.metadata,
        consumes={"notifications.commands.v1": commands(settings)},
        router=api.router,
    )


def commands(settings: NotificationSettings) -> EffectTable:
    """The handlers, by the settings: an effect costs a transaction more, and a log needs none."""
    if settings.mailer == "log":
        return handlers.by_log(LogBook(logs.logger(settings.service)))
    port = Port(
        name="mailer", timeout_ms=settings.smtp_timeout_ms, calls_max=settings.smtp_calls_max
    )
    return handlers.by_mail(SmtpMailer(settings, clock=wiring.now), port)
