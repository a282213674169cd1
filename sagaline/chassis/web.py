"""The HTTP side that all services have, and what an endpoint may depend on."""

from collections.abc import Awaitable, Callable
from os import urandom
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import docs, health, openapi, problems
from sagaline.chassis.access import Access
from sagaline.chassis.body import BodyGuard
from sagaline.chassis.database import Database
from sagaline.chassis.metrics import HttpMetrics
from sagaline.chassis.openapi import Documented
from sagaline.chassis.problems import Fault, Problem
from sagaline.chassis.quick_route import QuickRoute, QuickRoutes
from sagaline.chassis.running import Running

if TYPE_CHECKING:
    from sagaline.chassis.spans import Spans

__all__ = ["Fault", "Problem", "application", "database", "part", "running", "traceparent"]

T = TypeVar("T")


# Dependencies are coroutines, though they wait for nothing: FastAPI runs a plain function in a
# thread, and that costs more than all that these do.


async def running(request: Request) -> Running:
    """The service that answers this request."""
    found: Running = request.app.state.running
    return found


async def database(service: Annotated[Running, Depends(running)]) -> Database:
    """The service's database."""
    return service.database


def part(kind: type[T]) -> Callable[[Running], Awaitable[T]]:
    """A dependency: the service's part that is a `kind`; 503 while the service starts."""

    async def found(service: Annotated[Running, Depends(running)]) -> T:
        return service.part(kind)

    return found


async def traceparent(request: Request) -> str:
    """Where this request stands in its trace, as messages carry it on."""
    return str(request.state.traceparent)


def application(
    *,
    title: str,
    router: APIRouter | None,
    body_bytes_max: int,
    metrics: HttpMetrics,
    log: FilteringBoundLogger,
    random_bytes: Callable[[int], bytes] = urandom,
    spans: "Spans | None" = None,
) -> FastAPI:
    """A FastAPI application with the service's endpoints and everybody's. It opens nothing."""
    app = Documented(
        title=title,
        responses={422: {"model": Problem, "description": openapi.EVERYWHERE[422]}},
        generate_unique_id_function=openapi.operation_id,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        # Asked of OpenTelemetry's globals at each request otherwise; traces are `access`'s.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(app)
    # Routes are tried in order: the service's own, which are asked far more often, come first.
    if router is not None:
        app.include_router(router)
        if quick := [route for route in router.routes if isinstance(route, QuickRoute)]:
            app.add_middleware(QuickRoutes, routes=quick)
    app.include_router(health.router())
    docs.install(app)
    app.add_middleware(BodyGuard, bytes_max=body_bytes_max)
    # Added last, so outermost: it sees what the others answer.
    app.add_middleware(Access, metrics=metrics, log=log, random_bytes=random_bytes, spans=spans)
    return app
