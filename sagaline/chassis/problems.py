"""Errors as problem documents, RFC 9457: a stable type, and the fields at fault."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from sagaline.chassis.errors import PlatformError

MEDIA_TYPE: Final = "application/problem+json"
TYPES: Final = "https://sagaline.dev/problems/"
METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
ERRORS_MAX: Final = 100  # of a document: a hostile body could have thousands
# Named here, since types are stable, and Python's own phrases changed with 3.13.
CODES: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    413: "ContentTooLarge",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    503: "Unavailable",
}


class Fault(BaseModel):
    """One thing that is wrong with a request, and where."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem document; `type` never changes its meaning, `errors` stand for bad input."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] | None = None


def words(code: str) -> list[str]:
    """The words of a class name: NotReady is [not, ready]."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", code)]


def problem(
    instance: str,
    *,
    code: str,
    status: int,
    detail: str,
    errors: Sequence[Fault] | None = None,
) -> Problem:
    """The document of a problem; `code` is a name such as NotReady."""
    return Problem(
        type=TYPES + "-".join(words(code)),
        title=" ".join(words(code)).capitalize(),
        status=status,
        detail=detail,
        instance=instance,
        errors=None if errors is None else list(errors[:ERRORS_MAX]),
    )


def answer(
    instance: str,
    *,
    code: str,
    status: int,
    detail: str,
    errors: Sequence[Fault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response for a problem, likewise."""
    document = problem(instance, code=code, status=status, detail=detail, errors=errors)
    return JSONResponse(
        document.model_dump(exclude_none=True),
        status_code=status,
        headers=None if headers is None else dict(headers),
        media_type=MEDIA_TYPE,
    )


def invalid(instance: str, faults: Sequence[Fault]) -> JSONResponse:
    """The response to bad input."""
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:3])
    return answer(instance, code="InvalidRequest", status=422, detail=detail, errors=faults)


def unexpected(instance: str) -> JSONResponse:
    """The response for what nobody foresaw: it tells nothing; the log does."""
    detail = "Something went wrong that nobody foresaw; the service's log has it."
    return answer(instance, code="InternalError", status=500, detail=detail)


def unavailable(instance: str) -> JSONResponse:
    """The response while the database can't be reached."""
    detail = "The service's database can't be reached; nothing is known to be lost. Try again."
    headers = {"Retry-After": "1"}
    return answer(instance, code="Unavailable", status=503, detail=detail, headers=headers)


def stopped(instance: str) -> JSONResponse:
    """The response to a request that was cut off, since the service ends."""
    detail = "The service was stopped before this was done; whether it was is not known. Try again."
    headers = {"Retry-After": "1", "Connection": "close"}
    return answer(instance, code="Stopped", status=503, detail=detail, headers=headers)


def install(app: FastAPI) -> None:
    """What routes and validation raise is answered with problem documents."""
    app.add_exception_handler(PlatformError, platform_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid)


async def platform_error(request: Request, error: Exception) -> JSONResponse:
    """Answer with the error's problem document; one that was not meant to be shown goes on up."""
    assert isinstance(error, PlatformError)
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error  # nobody chose to show it: to the log, as anything unexpected
    retry_after_s = getattr(error, "retry_after_s", 1 if error.status in (429, 503) else None)
    return answer(
        request.url.path,
        code=type(error).__name__,
        status=error.status,
        detail=str(error),
        headers=None if retry_after_s is None else {"Retry-After": str(retry_after_s)},
    )


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request)) or "GET, HEAD"  # the second: of files
    return answer(
        request.url.path,
        code=CODES.get(error.status_code, f"Http{error.status_code}"),
        status=error.status_code,
        detail=error.detail,
        headers=headers,
    )


def _methods(request: Request) -> list[str]:
    """What the path can be asked for; the framework tells that of one route only."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    where = {name: request.scope.get(name, "") for name in ("path", "root_path")}

    def taken(method: str) -> bool:
        # With nothing in it of what was found out about the request's own method.
        scope = {"type": "http", "method": method, "headers": [], **where}
        return any(route.matches(scope)[0] is Match.FULL for route in routes)

    return [method for method in METHODS if taken(method)]


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):  # what isn't announced as JSON was not read
        return _not_json(request)
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        reason = f"{found[0]['ctx']['error']}, at character {found[0]['loc'][-1]}"
        fault = Fault(field="body", message=reason)
        detail = f"The body is not JSON: {reason}."
        return answer(
            request.url.path, code="MalformedBody", status=400, detail=detail, errors=[fault]
        )
    faults = [Fault(field=field_of(each["loc"]), message=each["msg"]) for each in found]
    return invalid(request.url.path, faults)


def _not_json(request: Request) -> JSONResponse:
    said = request.headers.get("content-type")
    detail = f"The body is {said}" if said else "The body does not say what it is"
    return answer(
        request.url.path,
        code=CODES[415],
        status=415,
        detail=f"{detail}: send JSON, with Content-Type: application/json.",
        headers={"Accept": "application/json"},
    )


def field_of(place: Iterable[int | str]) -> str:
    """The path to a field as people write it: ("body", "lines", 0, "sku") is lines[0].sku."""
    part, *path = place
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or str(part)
