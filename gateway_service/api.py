"""The gateway's HTTP side: orders are placed, and looked after."""

from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response

from gateway_service import domain, repository
from gateway_service.documents import NewOrder, OrderAccepted, OrderShown
from gateway_service.errors import OrderNotFound
from gateway_service.intake import Intake
from gateway_service.saga_document import SagaShown
from sagaline.chassis.database import Database
from sagaline.chassis.web import Problem, database, part, traceparent

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Chosen by the customer, 1 to 255 characters of printable ASCII: repeating "
        "the request with the same key gives the same order.",
    ),
]
OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

Responses: TypeAlias = dict[int | str, dict[str, Any]]  # as FastAPI takes them


def _problem(description: str, **headers: dict[str, Any]) -> dict[str, Any]:
    return {"model": Problem, "description": description, "headers": headers}


LOCATION: Final = {"Location": {"description": "The order.", "schema": {"type": "string"}}}
RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
READING: Final[Responses] = {
    404: _problem("No such order was accepted here"),
    503: _problem("The database does not answer", **RETRY_AFTER),
}
PLACING: Final[Responses] = {
    202: {"headers": LOCATION | RETRY_AFTER},
    400: _problem("The body is not JSON"),
    409: _problem("The key is held by a request in flight", **RETRY_AFTER),
    413: _problem("The body is larger than 64 KiB"),
    422: _problem("A field is not valid, or the key was used before for a different order"),
    503: _problem("Too many orders wait, or the database does not answer", **RETRY_AFTER),
}

router = APIRouter(prefix="/orders", tags=["orders"])


@router.post("", status_code=202, responses=PLACING)
async def place_order(
    order: NewOrder,
    intake: Annotated[Intake, Depends(part(Intake))],
    trace: Annotated[str, Depends(traceparent)],
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> OrderAccepted:
    """Accept an order. A customer's key again: other body 422, first request in flight 409.

    The order is safe when this is answered, whether or not Kafka can be reached.
    """
    order_id = await intake.accept(order.order(), key=idempotency_key, traceparent=trace)
    response.headers["Location"] = f"/orders/{order_id}"
    response.headers["Retry-After"] = "1"
    return OrderAccepted.of(order_id)


@router.get("/{order_id}", responses=READING)
async def get_order(order_id: UUID, db: OpenDatabase) -> OrderShown:
    """An order and how it stands: PENDING, until its saga's outcome is known here."""
    return OrderShown.of(await _placed(order_id, db))


@router.get("/{order_id}/saga", responses=READING)
async def get_saga(order_id: UUID, db: OpenDatabase) -> SagaShown:
    """The order's saga: every step, those to come included; REQUESTED until it has begun."""
    return SagaShown.of(await _placed(order_id, db))


async def _placed(order_id: UUID, db: Database) -> domain.PlacedOrder:
    async with db.reading() as tx:
        placed = await repository.placed_order(tx, order_id)
    if placed is None:
        raise OrderNotFound(order_id=order_id)
    return placed
