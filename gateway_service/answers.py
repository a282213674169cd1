"""What the routes may answer, as the OpenAPI document says it."""

from typing import Any, Final, TypeAlias

from gateway_service import streaming
from gateway_service.documents import OrderShown
from sagaline.chassis.web import Problem

Responses: TypeAlias = dict[int | str, dict[str, Any]]  # as FastAPI takes them

LOCATION: Final = {"Location": {"description": "The order.", "schema": {"type": "string"}}}
RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
APPLIED: Final = {
    "Preference-Applied": {
        "description": "`wait=N`, if the answer waited, or would have, for the order's end.",
        "schema": {"type": "string"},
    }
}
ETAG: Final = {
    "ETag": {"description": "Another one after each change.", "schema": {"type": "string"}}
}


def _problem(description: str, **headers: dict[str, Any]) -> dict[str, Any]:
    return {"model": Problem, "description": description, "headers": headers}


READING: Final[Responses] = {
    304: {"description": "It is as the client knows it", "headers": ETAG},
    404: _problem("No such order was accepted here"),
    503: _problem("The database does not answer", **RETRY_AFTER),
}
LINKS: Final = {
    name: {"operationId": f"orders-{name}", "parameters": {"order_id": "$response.body#/order_id"}}
    for name in ("get_order", "get_saga", "get_events")
}
PLACING: Final[Responses] = {
    200: {
        "model": OrderShown,
        "description": "With `Prefer: wait`: the order has ended",
        "headers": LOCATION | APPLIED,
        "links": LINKS,
    },
    202: {
        "description": "The order is accepted for good, and will be CONFIRMED or REJECTED",
        "headers": LOCATION | RETRY_AFTER | APPLIED,
        "links": LINKS,
    },
    400: _problem("The body is not JSON"),
    409: _problem("The key is held by a request in flight", **RETRY_AFTER),
    413: _problem("The body is larger than 64 KiB"),
    422: _problem("A field is not valid, or the key was used before for a different order"),
    503: _problem("Too many orders wait, or the database does not answer", **RETRY_AFTER),
}

EVENT: Final = {  # OpenAPI 3.1 has the schema of each
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"type": "string", "enum": ["progress", "end"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["id", "event", "data"],
}
STREAMING: Final[Responses] = {
    200: {
        "description": "Events `progress`, and at last `end`",
        "content": {"text/event-stream": {"schema": EVENT, "example": streaming.EXAMPLE}},
    },
    204: {"description": "`Last-Event-ID` is the end: there is nothing more to come"},
    404: _problem("No such order was accepted here"),
    503: _problem("Too many streams are open, or the database does not answer", **RETRY_AFTER),
}
