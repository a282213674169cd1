"""A request's body, read whole before anything is done with it: it is small, or refused."""

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagaline.chassis import nul
from sagaline.chassis.problems import answer, invalid


class BodyGuard:
    """ASGI middleware: a body of more than `bytes_max` gets 413, and a NUL character 422.

    Bodies that don't say their size are counted as they come, and not read beyond the limit.
    """

    def __init__(self, app: ASGIApp, *, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body in one piece, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _announced(scope)
        body = await self._read(receive) if announced <= self._bytes_max else b""
        if body is None:
            return  # the client is gone
        refusal = self._refusal(scope, body, size=max(announced, len(body)))
        if refusal is None:
            await self._app(scope, again(body, receive), send)
        else:
            await refusal(scope, receive, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body, or somewhat more of it than the limit; None when the client went away."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if not message.get("more_body", False) or len(body) > self._bytes_max:
                return bytes(body)

    def _refusal(self, scope: Scope, body: bytes, *, size: int) -> Response | None:
        if size > self._bytes_max:
            detail = f"A body may have {self._bytes_max} bytes."
            return answer(scope["path"], code="ContentTooLarge", status=413, detail=detail)
        faults = nul.faults(scope["path"], scope["query_string"], body)
        return invalid(scope["path"], faults) if faults else None


def again(body: bytes, receive: Receive) -> Receive:
    """Give the body once, then whatever comes: that the client is gone."""
    read = False

    async def received() -> Message:
        nonlocal read
        if read:
            return await receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
