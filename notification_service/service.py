"""The notification service, put together."""

import schemas
from notification_service import api, handlers, models
from notification_service.mailer import LogMailer, Mailer
from notification_service.settings import NotificationSettings
from notification_service.smtp import SmtpMailer
from sagaline.chassis import logs, wiring
from sagaline.chassis.effects import Port
from sagaline.chassis.service import Service


def service(settings: NotificationSettings | None = None) -> Service:
    """Wire the notification service. Opens nothing: connections live from `run()` to its end."""
    settings = settings or NotificationSettings()
    mailer, port = _mailer(settings)
    return Service(
        settings=settings,
        catalog=schemas.CATALOG,  # it knows notifications.replies.v1, too
        metadata=models.NotificationTable.metadata,
        consumes={"notifications.commands.v1": handlers.commands(mailer, port)},
        router=api.router,
    )


def _mailer(settings: NotificationSettings) -> tuple[Mailer, Port]:
    if settings.mailer == "log":
        log = LogMailer(logs.logger(settings.service))
        return log, Port(name="mailer", timeout_ms=5_000, calls_max=settings.batch_rows_max)
    port = Port(
        name="mailer", timeout_ms=settings.smtp_timeout_ms, calls_max=settings.smtp_calls_max
    )
    return SmtpMailer(settings, clock=wiring.now), port
