"""Liveness and readiness: alive is who answers; ready is who has all that it needs."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from sagaline.chassis import examples, metrics
from sagaline.chassis.openapi import answers
from sagaline.chassis.problems import Fault, answer

Check: TypeAlias = Callable[[], Awaitable[str | None]]


class Readiness(BaseModel):
    """What is needed, each `ok`."""

    status: str
    checks: dict[str, str]


class Health:
    """What a service needs, by name, each with a question: is anything wrong with it now?"""

    def __init__(self) -> None:
        self.started = False
        self._checks: dict[str, Check] = {}

    def watch(self, name: str, check: Check) -> None:
        """Readiness depends on `check` from now on. It takes bounded time and doesn't raise."""
        assert name not in self._checks, f"two checks are called {name}"
        self._checks[name] = check

    async def problems(self) -> dict[str, str | None]:
        """What is wrong with each thing that is needed; None where nothing is."""
        found = {"start": None if self.started else "the service is starting"}
        for name, check in tuple(self._checks.items()):  # more may come while we wait
            found[name] = await check()
        return found


def router() -> APIRouter:
    """/livez, /readyz and /metrics, of the service that answers the request."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/livez", responses=answers(examples.ALIVE))
    async def livez() -> dict[str, str]:
        """The process answers, whatever else is down: a restart would mend nothing."""
        return {"status": "alive"}

    @routes.get("/readyz", response_model=Readiness, responses=answers(examples.READY))
    async def readyz(request: Request) -> Response | Readiness:
        """All that the service needs is there; 503 names what is missing."""
        problems = await request.app.state.running.health.problems()
        missing = [Fault(field=name, message=text) for name, text in problems.items() if text]
        if missing:
            return answer(
                request.url.path,
                code="NotReady",
                status=503,
                detail="; ".join(f"{each.field}: {each.message}" for each in missing),
                errors=missing,
                headers={"Retry-After": "1"},
            )
        return Readiness(status="ready", checks=dict.fromkeys(problems, "ok"))

    @routes.get("/metrics", include_in_schema=False)
    async def figures(request: Request) -> Response:
        """All figures, in Prometheus' text format."""
        registry = request.app.state.running.metrics
        return Response(metrics.exposition(registry), media_type=metrics.CONTENT_TYPE)

    return routes
