"""The HTTP side that all services have, and what an endpoint may depend on."""

from collections.abc import Callable, Iterator, Mapping
from os import urandom
from typing import Annotated, TypeAlias, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from structlog.typing import FilteringBoundLogger

from sagaline.chassis import health, problems
from sagaline.chassis.access import Access
from sagaline.chassis.body_limit import BodyLimit
from sagaline.chassis.database import Database
from sagaline.chassis.metrics import HttpMetrics
from sagaline.chassis.problems import Fault, Problem
from sagaline.chassis.running import Running

__all__ = ["Fault", "Problem", "application", "database", "part", "running", "traceparent"]

T = TypeVar("T")
Place: TypeAlias = tuple[str | int, ...]


def running(request: Request) -> Running:
    """The service that answers this request."""
    found: Running = request.app.state.running
    return found


def database(service: Annotated[Running, Depends(running)]) -> Database:
    """The service's database."""
    return service.database


def part(kind: type[T]) -> Callable[[Request], T]:
    """A dependency: the service's part that is a `kind`; 503 while the service starts."""

    def found(request: Request) -> T:
        return running(request).part(kind)

    return found


def traceparent(request: Request) -> str:
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
) -> FastAPI:
    """A FastAPI application with the service's endpoints and everybody's. It opens nothing."""
    app = FastAPI(
        title=title,
        dependencies=[Depends(refuse_nul)],
        responses={422: {"model": Problem, "description": "The request is not valid"}},
        redoc_url=None,
    )
    problems.install(app)
    app.include_router(health.router())
    if router is not None:
        app.include_router(router)
    app.add_middleware(BodyLimit, bytes_max=body_bytes_max)
    # Added last, so outermost: it sees what the others answer.
    app.add_middleware(Access, metrics=metrics, log=log, random_bytes=random_bytes)
    return app


async def refuse_nul(request: Request) -> None:
    """Raise for a NUL character in path, query or JSON body: PostgreSQL's text can't hold one."""
    path, query = request.path_params.items(), request.query_params.multi_items()
    found: list[Place] = [("path", name) for name, text in path if "\0" in str(text)]
    found += [("query", name) for name, text in query if "\0" in text]
    body = await request.body()
    if b"\\u0000" in body or b"\0" in body:
        found += _with_nul(await request.json(), ("body",))
    if found:
        message = "NUL characters are not allowed"
        raise RequestValidationError(
            [{"type": "nul", "loc": place, "msg": message, "input": None} for place in found]
        )


def _with_nul(value: object, place: Place) -> Iterator[Place]:
    """Places of the texts and names that hold a NUL, in a JSON document that was parsed already."""
    if isinstance(value, str) and "\0" in value:
        yield place
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            shown = (*place, name.replace("\0", "\\0"))
            yield from _with_nul(inner, shown) if "\0" not in name else iter([shown])
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _with_nul(inner, (*place, index))
