"""A limit on request bodies, also on those that don't say their size."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagaline.chassis.problems import answer


class BodyLimit:
    """ASGI middleware: a body of more than `bytes_max` gets 413, and no more of it is kept."""

    def __init__(self, app: ASGIApp, *, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it when its own header says that it is too large."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if (_announced(scope) or 0) > self._bytes_max:
            detail = self._detail()
            response = answer(scope["path"], code="ContentTooLarge", status=413, detail=detail)
            return await response(scope, receive, send)
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._bytes_max:
                # FastAPI lets an HTTPException through, where it reads the body, and no other.
                raise HTTPException(413, self._detail())
            return message

        return await self._app(scope, counted, send)

    def _detail(self) -> str:
        return f"A body may have {self._bytes_max} bytes."


def _announced(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None
