"""The route on which orders are placed: a request that is as it should be is read at once.

FastAPI works out anew for each request what its endpoint takes, which costs more than all that is
done with it. What is unusual in any way goes FastAPI's way: it alone says what is wrong.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from gateway_service.documents import NewOrder
from gateway_service.headers import IdempotencyKey
from gateway_service.intake import Intake
from gateway_service.watching import Watching
from sagaline.chassis.running import Running

KEY: Final[TypeAdapter[str | None]] = TypeAdapter(IdempotencyKey)


class Asked(NamedTuple):
    """What a request asks for, as the endpoint's parameters."""

    order: NewOrder
    idempotency_key: str | None
    preferences: list[str] | None


class PlacingRoute(APIRoute):
    """Gives its endpoint what `Asked` names, and the parts that it depends on."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler of requests: the quick one, in front of FastAPI's."""
        thorough = super().get_route_handler()

        async def handle(request: Request) -> Response:
            asked = _asked(request, await request.body())
            if asked is None:
                return await thorough(request)
            running: Running = request.app.state.running
            response: Response = await self.endpoint(
                request,
                intake=running.part(Intake),
                watching=running.part(Watching),
                trace=str(request.state.traceparent),
                **asked._asdict(),
            )
            return response

        return handle


def _asked(request: Request, body: bytes) -> Asked | None:
    """What the request asks for; None where there is anything to say about it."""
    found: dict[bytes, list[str]] = {}
    for name, value in request.scope["headers"]:
        found.setdefault(name, []).append(value.decode("latin-1"))
    keys = found.get(b"idempotency-key", [None])
    if found.get(b"content-type") != ["application/json"] or len(keys) > 1:
        return None
    try:
        order, key = NewOrder.model_validate_json(body), KEY.validate_python(keys[0])
    except ValidationError:
        return None
    return Asked(order, key, found.get(b"prefer"))
