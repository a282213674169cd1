"""The route on which orders are placed."""

from typing import Final

from fastapi import Request
from pydantic import TypeAdapter

from gateway_service.documents import NewOrder
from gateway_service.headers import IdempotencyKey
from gateway_service.intake import Intake
from gateway_service.watching import Watching
from sagaline.chassis.quick_route import Arguments, QuickRoute, fields
from sagaline.chassis.running import Running

KEY: Final[TypeAdapter[str | None]] = TypeAdapter(IdempotencyKey)


class PlacingRoute(QuickRoute):
    """Takes the usual order: JSON that says so, with one idempotency key or none."""

    def arguments(self, request: Request, body: bytes, running: Running) -> Arguments | None:
        """The endpoint's arguments; None, or a ValidationError, where FastAPI is to read them."""
        found = fields(request)
        keys = found.get(b"idempotency-key", [None])
        if found.get(b"content-type") != ["application/json"] or len(keys) > 1:
            return None
        return {
            "order": NewOrder.model_validate_json(body),
            "intake": running.part(Intake),
            "watching": running.part(Watching),
            "trace": str(request.state.traceparent),
            "idempotency_key": KEY.validate_python(keys[0]),
            "preferences": found.get(b"prefer"),
        }
