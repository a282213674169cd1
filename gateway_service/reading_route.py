"""The route on which an order is looked at."""

from typing import Final
from uuid import UUID

from fastapi import Request
from pydantic import TypeAdapter

from gateway_service.watching import Watching
from sagaline.chassis.quick_route import Arguments, QuickRoute, fields
from sagaline.chassis.running import Running

ORDER_ID: Final = TypeAdapter(UUID)


class ReadingRoute(QuickRoute):
    """Takes any order's id, written in whichever way FastAPI would take it."""

    def arguments(self, request: Request, body: bytes, running: Running) -> Arguments | None:  # noqa: ARG002 - it has none
        """The endpoint's arguments; a ValidationError where that is no order's id."""
        found = fields(request)
        return {
            "order_id": ORDER_ID.validate_python(request.path_params["order_id"]),
            "db": running.database,
            "watching": running.part(Watching),
            "preferences": found.get(b"prefer"),
            "known": found.get(b"if-none-match"),
        }
