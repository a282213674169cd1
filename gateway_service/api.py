"""The gateway's HTTP side: orders are placed, and looked after."""

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from gateway_service import domain, etags, listing, prefer, repository, streaming
from gateway_service.answers import APPLIED, ETAG, PLACING, READING, STREAMING
from gateway_service.documents import (
    CustomerId,
    NewOrder,
    OrderAccepted,
    OrderPage,
    OrderShown,
)
from gateway_service.errors import OrderNotFound
from gateway_service.headers import IdempotencyKey, Known, LastEventId, Preferences
from gateway_service.intake import Intake
from gateway_service.placing_route import PlacingRoute
from gateway_service.reading_route import ReadingRoute
from gateway_service.saga_document import SagaShown
from gateway_service.streaming import Streams
from gateway_service.watching import Watching
from sagaline.chassis import paging
from sagaline.chassis.database import Database
from sagaline.chassis.web import database, part, traceparent

OpenWatching: TypeAlias = Annotated[Watching, Depends(part(Watching))]
OpenDatabase: TypeAlias = Annotated[Database, Depends(database)]


class EventStream(StreamingResponse):
    """Server-Sent Events."""

    media_type = "text/event-stream"


router = APIRouter(prefix="/orders", tags=["orders"])


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
        # Of an order that is new here nobody can have heard yet; at any other there is a look.
        known = accepted.placed
        placed = await _ended(accepted.order_id, request, watching, wait_s, known=known)
        if placed is not None:
            return _document(OrderShown.of(placed), headers)
    return _document(
        OrderAccepted.of(accepted.order_id), headers | {"Retry-After": "1"}, status_code=202
    )


router.add_api_route(
    "",
    place_order,
    methods=["POST"],
    status_code=202,
    response_model=OrderAccepted,
    responses=PLACING,
    route_class_override=PlacingRoute,
)


@router.get("", response_model=OrderPage)
async def list_orders(
    db: OpenDatabase,
    status: domain.Status | None = None,
    customer_id: CustomerId | None = None,
    cursor: paging.Cursor = None,
    limit: paging.Limit = paging.PAGE_ROWS,
) -> Response:
    """Orders, the newest first. Those that are placed meanwhile shift no page."""
    after = listing.BEGIN if cursor is None else listing.Place.of(cursor)
    wanted = listing.Wanted(status=status, customer_id=customer_id, after=after)
    async with db.reading() as tx:
        page = await listing.page(tx, wanted, limit=limit)
    following = None if page.next is None else page.next.cursor
    return _document(OrderPage(orders=[*map(OrderShown.of, page.orders)], next=following))


async def get_order(
    request: Request,
    order_id: UUID,
    db: OpenDatabase,
    watching: OpenWatching,
    preferences: Preferences = None,
    known: Known = None,
) -> Response:
    """An order and how it stands: PENDING, until its saga's outcome is known here.

    With `Prefer: wait=N` the answer comes when it is CONFIRMED or REJECTED, or after N seconds.
    """
    wait_s, placed = _wait_s(preferences, watching), None
    if wait_s is not None:
        placed = await _ended(order_id, request, watching, wait_s)
    if placed is None:
        placed = await _placed(order_id, db)
    headers = {} if wait_s is None else prefer.applied(wait_s)
    return _tagged(OrderShown, placed, known, headers)


router.add_api_route(
    "/{order_id}",
    get_order,
    methods=["GET"],
    response_model=OrderShown,
    responses=READING | {200: {"headers": APPLIED | ETAG}},
    route_class_override=ReadingRoute,
)


@router.get(
    "/{order_id}/saga", response_model=SagaShown, responses=READING | {200: {"headers": ETAG}}
)
async def get_saga(order_id: UUID, db: OpenDatabase, known: Known = None) -> Response:
    """The order's saga: every step, those to come included; REQUESTED until it has begun."""
    return _tagged(SagaShown, await _placed(order_id, db), known, {})


@router.get(
    "/{order_id}/events", response_class=EventStream, responses=STREAMING, response_model=None
)
async def get_events(
    request: Request,
    order_id: UUID,
    db: OpenDatabase,
    streams: Annotated[Streams, Depends(part(Streams))],
    last_event_id: LastEventId = None,
) -> Response:
    """The order's progress as Server-Sent Events, until its saga has ended.

    Each `progress` event has the order and its saga as they stand then; states that follow one
    another fast may be told as one. Its id is the saga's sequence. Then comes `end`, with the same
    data. A stream that ends without it is to be opened again, with the id that came last.
    """
    placed, seen = await _placed(order_id, db), streaming.last_seen(last_event_id)
    if placed.saga_has_ended and seen >= placed.sequence:
        return Response(status_code=204)  # by which browsers know not to come again
    streams.check_room()
    return EventStream(
        streams.events(placed, seen=seen, left=lambda: _left(request)),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


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
    order_id: UUID,
    request: Request,
    watching: Watching,
    wait_s: int,
    *,
    known: domain.PlacedOrder | None = None,
) -> domain.PlacedOrder | None:
    """The order once it has ended; None if it hasn't within that time, or nobody waits any more."""
    return await watching.until(
        order_id, domain.has_ended, known=known, wait_s=wait_s, gone=_left(request)
    )


async def _left(request: Request) -> None:
    """Return when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _tagged(
    shown: type[OrderShown] | type[SagaShown],
    placed: domain.PlacedOrder,
    known: list[str] | None,
    headers: dict[str, str],
) -> Response:
    """The order as it is shown, unless the client has just that."""
    tag = etags.etag(placed.view)
    headers = headers | {"ETag": tag, "Cache-Control": "no-cache"}
    if known and etags.matches(known, tag):
        return Response(status_code=304, headers=headers)
    return _document(shown.of(placed), headers)


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
