"""The gateway's HTTP side: orders are placed, and looked after."""

from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel

from gateway_service import domain, prefer, repository
from gateway_service.documents import NewOrder, OrderAccepted, OrderShown
from gateway_service.errors import OrderNotFound
from gateway_service.intake import Intake
from gateway_service.saga_document import SagaShown
from gateway_service.watching import Watching
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
Preferences: TypeAlias = Annotated[
    list[str] | None,
    Header(
        alias="Prefer",
        description="`wait=N` (RFC 7240): answer when the order is CONFIRMED or REJECTED, at the "
        f"latest after N seconds; at most {prefer.WAIT_MAX_S}. Everything else is passed over.",
        examples=[["wait=10"]],
    ),
]
OpenWatching: TypeAlias = Annotated[Watching, Depends(part(Watching))]
OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]

Responses: TypeAlias = dict[int | str, dict[str, Any]]  # as FastAPI takes them


def _problem(description: str, **headers: dict[str, Any]) -> dict[str, Any]:
    return {"model": Problem, "description": description, "headers": headers}


LOCATION: Final = {"Location": {"description": "The order.", "schema": {"type": "string"}}}
RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
APPLIED: Final = {
    "Preference-Applied": {
        "description": "`wait=N`, if the answer waited, or would have, for the order's end.",
        "schema": {"type": "string"},
    }
}
READING: Final[Responses] = {
    404: _problem("No such order was accepted here"),
    503: _problem("The database does not answer", **RETRY_AFTER),
}
PLACING: Final[Responses] = {
    200: {
        "model": OrderShown,
        "description": "With `Prefer: wait`: the order has ended",
        "headers": LOCATION | APPLIED,
    },
    202: {
        "description": "The order is accepted for good, and will be CONFIRMED or REJECTED",
        "headers": LOCATION | RETRY_AFTER | APPLIED,
    },
    400: _problem("The body is not JSON"),
    409: _problem("The key is held by a request in flight", **RETRY_AFTER),
    413: _problem("The body is larger than 64 KiB"),
    422: _problem("A field is not valid, or the key was used before for a different order"),
    503: _problem("Too many orders wait, or the database does not answer", **RETRY_AFTER),
}

router = APIRouter(prefix="/orders", tags=["orders"])


@router.post("", status_code=202, response_model=OrderAccepted, responses=PLACING)
async def place_order(
    request: Request,
    order: NewOrder,
    intake: Annotated[Intake, Depends(part(Intake))],
    watching: OpenWatching,
    trace: Annotated[str, Depends(traceparent)],
    idempotency_key: IdempotencyKey = None,
    preferences: Preferences = None,
) -> Response:
    """Accept an order. A customer's key again: other body 422, first request in flight 409.

    The order is safe when this is answered, whether or not Kafka can be reached. With `Prefer:
    wait=N` the answer is 200 and the order, if it ends within N seconds, else 202 as without.
    """
    accepted = await intake.accept(order.order(), key=idempotency_key, traceparent=trace)
    headers = {"Location": f"/orders/{accepted.order_id}"}
    wait_s = _wait_s(preferences, watching)
    if wait_s is not None:
        headers |= prefer.applied(wait_s)
        # Of an order that is new here nobody can have heard yet.
        looked = not accepted.new
        placed = await _ended(accepted.order_id, request, watching, wait_s, look_now=looked)
        if placed is not None:
            return _document(OrderShown.of(placed), headers)
    return _document(
        OrderAccepted.of(accepted.order_id), headers | {"Retry-After": "1"}, status_code=202
    )


@router.get(
    "/{order_id}", response_model=OrderShown, responses=READING | {200: {"headers": APPLIED}}
)
async def get_order(
    request: Request,
    order_id: UUID,
    db: OpenDatabase,
    watching: OpenWatching,
    preferences: Preferences = None,
) -> Response:
    """An order and how it stands: PENDING, until its saga's outcome is known here.

    With `Prefer: wait=N` the answer comes when it is CONFIRMED or REJECTED, or after N seconds.
    """
    wait_s = _wait_s(preferences, watching)
    if wait_s is None:
        return _document(OrderShown.of(await _placed(order_id, db)))
    placed = await _ended(order_id, request, watching, wait_s, look_now=True)
    return _document(OrderShown.of(placed or await _placed(order_id, db)), prefer.applied(wait_s))


@router.get("/{order_id}/saga", response_model=SagaShown, responses=READING)
async def get_saga(order_id: UUID, db: OpenDatabase) -> Response:
    """The order's saga: every step, those to come included; REQUESTED until it has begun."""
    return _document(SagaShown.of(await _placed(order_id, db)))


async def _placed(order_id: UUID, db: Database) -> domain.PlacedOrder:
    async with db.reading() as tx:
        placed = await repository.placed_order(tx, order_id)
    if placed is None:
        raise OrderNotFound(order_id=order_id)
    return placed


def _wait_s(preferences: list[str] | None, watching: Watching) -> int | None:
    """The seconds that this request waits for the order's end; None: it doesn't."""
    if not preferences or not watching.has_room:
        return None
    return prefer.wait_s(preferences)


async def _ended(
    order_id: UUID, request: Request, watching: Watching, wait_s: int, *, look_now: bool
) -> domain.PlacedOrder | None:
    """The order once it has ended; None if it hasn't within that time, or nobody waits any more."""
    return await watching.until(
        order_id, domain.has_ended, wait_s=wait_s, look_now=look_now, gone=_left(request)
    )


async def _left(request: Request) -> None:
    """Return when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _document(
    document: BaseModel, headers: dict[str, str] | None = None, *, status_code: int = 200
) -> Response:
    # Rendered here: FastAPI would validate the document once more, and make objects of it first.
    return Response(
        document.model_dump_json(),
        status_code=status_code,
        headers=headers,
        media_type="application/json",
    )
