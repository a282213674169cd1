"""Routes on which a request that is as it should be is read, and answered, at once.

FastAPI goes through a dozen layers for each request, and works out anew what its endpoint takes;
that costs more than all that is done with it. What is unusual in any way goes FastAPI's way: it
alone says what is wrong.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from sagaline.chassis import problems
from sagaline.chassis.body import again
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.running import Running

Fields: TypeAlias = dict[bytes, list[str]]  # of a request's head, by lower-case name
Arguments: TypeAlias = dict[str, Any]  # of an endpoint, by its parameters' names


class QuickRoute(APIRoute):
    """A route whose endpoint is called with the request and its `arguments`, if it has any."""

    @abstractmethod
    def arguments(self, request: Request, body: bytes, running: Running) -> Arguments | None:
        """What the request asks for, and the parts that it is answered with.

        None, or a ValidationError, where there is anything to say about the request.
        """

    async def answer(self, request: Request) -> Response | None:
        """Answer the request, or leave it to FastAPI."""
        try:
            body, running = await request.body(), request.app.state.running
            arguments = self.arguments(request, body, running)
        except ValidationError:
            return None
        if arguments is None:
            return None
        response: Response = await self.endpoint(request, **arguments)
        return response


class QuickRoutes:
    """ASGI middleware, the innermost: it tries these routes, each by its path and method."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[QuickRoute]) -> None:
        self._app = app
        self._routes = [(method, route) for route in routes for method in route.methods or ()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request if it is usual, else pass it on with its body."""
        route = self._route(scope)
        if route is None:
            return await self._app(scope, receive, send)
        request = Request(scope, receive, send)
        response = await _answer(route, request)
        if response is None:
            return await self._app(scope, again(await request.body(), receive), send)
        return await response(scope, receive, send)

    def _route(self, scope: Scope) -> QuickRoute | None:
        if scope["type"] != "http" or scope.get("root_path"):
            return None
        for method, route in self._routes:
            found = route.path_regex.match(scope["path"]) if method == scope["method"] else None
            if found is not None:
                scope["route"], scope["path_params"] = route, found.groupdict()
                return route
        return None


async def _answer(route: QuickRoute, request: Request) -> Response | None:
    try:
        return await route.answer(request)
    except PlatformError as error:
        return await problems.platform_error(request, error)


def fields(request: Request) -> Fields:
    """The request's header fields, each as often as it came."""
    found: Fields = {}
    for name, value in request.scope["headers"]:
        found.setdefault(name, []).append(value.decode("latin-1"))
    return found
