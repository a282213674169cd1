"""The payment service, put together."""

import schemas
from payment_service import api, handlers, models
from payment_service.ledger import Ledger
from payment_service.settings import PaymentSettings
from sagaline.chassis.service import Service


def service(settings: PaymentSettings | None = None) -> Service:
    """Wire the payment service. Opens nothing: connections live from `run()` to its end."""
    settings = settings or PaymentSettings()
    provider = Ledger(
        default_limit_minor=settings.default_limit_minor,
        default_currency=settings.default_currency,
    )
    return Service(
        settings=settings,
        catalog=schemas.CATALOG,  # it knows payments.replies.v1, too: no handler names a topic
        metadata=models.PaymentTable.metadata,
        consumes={"payments.commands.v1": handlers.commands(provider)},
        router=api.router,
    )
