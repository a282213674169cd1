"""What happens to each request: a trace, a line in the log, a figure, and an answer in any case."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.faults import passing
from sagaline.chassis.metrics import HttpMetrics
from sagaline.chassis.problems import stopped, unavailable, unexpected
from sagaline.chassis.tracing import TraceParent, passed_on

if TYPE_CHECKING:
    from sagaline.chassis.spans import RequestSpan, Spans

GONE = 499  # the client went away before there was an answer
QUIET = frozenset({"/livez", "/readyz", "/metrics"})  # asked every few seconds, by machines


class Access:
    """ASGI middleware, the outermost. `scope["state"]` gets the request's `traceparent`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: HttpMetrics,
        log: FilteringBoundLogger,
        random_bytes: Callable[[int], bytes],
        spans: "Spans | None" = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log
        self._random_bytes = random_bytes
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an exception becomes 503 where it passes by itself, else 500."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if self._spans is None or scope["path"] in QUIET:
            trace = passed_on(_traceparent(scope), self._random_bytes)
            return await self._answer(scope, receive, send, trace, None)
        with self._spans.request(scope["method"], scope["path"], _traceparent(scope)) as span:
            return await self._answer(scope, receive, send, span.traceparent, span)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        trace: TraceParent,
        span: "RequestSpan | None",
    ) -> None:
        scope.setdefault("state", {})["traceparent"] = trace
        status: int | None = None
        began_s = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with (
            self._metrics.in_flight.track_inprogress(),
            structlog.contextvars.bound_contextvars(trace_id=trace.trace_id),
        ):
            try:
                await self._app(scope, receive, noted)
            except asyncio.CancelledError:  # the server stops, and this took too long
                if status is None:
                    await stopped(scope["path"])(scope, receive, noted)
                raise
            except Exception as error:  # the top of a request
                await self._failed(scope, error)
                if status is not None:
                    raise  # half an answer is sent: only closing the connection tells
                response = unavailable if passing(error) else unexpected
                await response(scope["path"])(scope, receive, noted)
            finally:
                self._note(scope, trace, status, time.perf_counter() - began_s)
                if span is not None:
                    span.answered(_route(scope), status or GONE)

    async def _failed(self, scope: Scope, error: Exception) -> None:
        if passing(error):
            self._log.warning("request failed for now", path=scope["path"], reason=repr(error))
        else:
            self._metrics.failed(route=_route(scope))
            self._log.error("request failed", path=scope["path"], exc_info=error)

    def _note(self, scope: Scope, trace: TraceParent, status: int | None, seconds: float) -> None:
        shown = status or GONE
        self._metrics.answered(
            method=scope["method"], route=_route(scope), status=shown, seconds=seconds
        )
        # A line costs as much as a fifth of a request: what went well is in the figures.
        say = self._log.debug if shown < 400 or scope["path"] in QUIET else self._log.info
        say(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=shown,
            ms=round(seconds * 1000, 1),
            traceparent=trace,
        )


def _route(scope: Scope) -> str:
    """The route's template; unknown paths share a name, since anybody can make them up."""
    return getattr(scope.get("route"), "path", "unmatched")


def _traceparent(scope: Scope) -> str | None:
    found = [value for name, value in scope["headers"] if name == b"traceparent"]
    return found[0].decode("latin-1") if len(found) == 1 else None
