"""The JSON document of an event in an order's stream."""

from pydantic import BaseModel

from gateway_service import domain
from gateway_service.documents import OrderShown
from gateway_service.saga_document import SagaShown


class Progress(BaseModel):
    """How an order stands, and how far its saga has come."""

    order: OrderShown
    saga: SagaShown

    @classmethod
    def of(cls, placed: domain.PlacedOrder) -> "Progress":
        """The order's progress by now."""
        return cls(order=OrderShown.of(placed), saga=SagaShown.of(placed))
