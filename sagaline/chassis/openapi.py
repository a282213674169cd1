"""A service's OpenAPI document: what FastAPI reads off the routes, and what it can't know.

That is: problems have a media type of their own; any operation can meet some of them, and those
with a body some more; a docstring's first sentence is the summary; no parameter is ever null.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import JsonValue

from sagaline.chassis import examples, nulls, problems
from sagaline.chassis.errors import PlatformError

Responses: TypeAlias = dict[int | str, dict[str, Any]]  # as FastAPI takes them

PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
EXAMPLES: Final = {"uuid": examples.AN_ORDER_ID, "integer": 7}  # where a parameter has no own
EVERYWHERE: Final = {
    422: "Something in the request is not valid; `errors` name the fields",
    503: "The service is starting or stopping, or its database can't be reached",
}
WITH_A_PATH: Final = {404: "Nothing has this path"}
WITH_A_BODY: Final = {
    400: "The body is not JSON",
    413: "The body is larger than the service takes",
    415: "The body does not say that it is JSON",
}


def answers(
    example: JsonValue,
    *errors: type[PlatformError],
    status: int = 200,
    leads_to: Mapping[str, Mapping[str, str]] | None = None,
) -> Responses:
    """`responses` of a route: an example of what it gives, and the errors of its own.

    An error's docstring is shown as it stands, and its `type` with it. `leads_to` are operations
    (by id) that can be asked next, with where their parameters come from.
    """
    found: Responses = {status: {"content": {"application/json": {"example": example}}}}
    for name, parameters in (leads_to or {}).items():
        link = {"operationId": name, "parameters": dict(parameters)}
        found[status].setdefault("links", {})[name] = link
    for error in errors:
        shown = found.setdefault(
            error.status, {"description": "", "content": {problems.MEDIA_TYPE: {"examples": {}}}}
        )
        text = _words(error)
        problem = problems.problem("/", code=error.__name__, status=error.status, detail=text)
        shown["description"] = f"{shown['description']} {text}".strip()
        shown["content"][problems.MEDIA_TYPE]["examples"][problem.type.rpartition("/")[2]] = {
            "value": problem.model_dump(exclude_none=True)
        }
    return found


class Documented(FastAPI):
    """A FastAPI application whose document says all that its operations answer."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _complete(path, operation)
            nulls.restore(document)
        made: dict[str, Any] = self.openapi_schema or {}
        return made


def operation_id(route: APIRoute) -> str:
    """An operation is called what its function is called, and after its first tag."""
    tag = str(route.tags[0]) if route.tags else "other"
    return f"{tag.replace(' ', '_')}-{route.name}"


def _complete(path: str, operation: dict[str, Any]) -> None:
    _summarise(operation)
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = schema = _never_null(parameter["schema"])
        kind = schema.get("format", schema.get("type"))
        if parameter["required"] and "examples" not in schema and kind in EXAMPLES:
            parameter["example"] = EXAMPLES[kind]
    responses = operation["responses"]
    for status, description in _any_can_meet(path, operation).items():
        responses.setdefault(str(status), {"description": description})
    for status, response in responses.items():
        if int(status) >= 400:
            _complete_problem(path, int(status), response)
    operation["responses"] = dict(sorted(responses.items()))


def _summarise(operation: dict[str, Any]) -> None:
    """The docstring's first sentence is the summary, unless the route has another one."""
    description, name = operation.get("description", ""), operation["operationId"].split("-")[-1]
    if description and operation["summary"] == name.replace("_", " ").title():
        first, *rest = re.split(r"(?<=\.)\s+", description, maxsplit=1)
        operation["summary"] = " ".join(first.removesuffix(".").split())
        operation.pop("description")
        if rest:
            operation["description"] = rest[0]


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be missing: FastAPI calls it null, which no query can say."""
    kinds: list[dict[str, Any]] = schema.get("anyOf", [])
    kinds = [kind for kind in kinds if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0]


def _any_can_meet(path: str, operation: Mapping[str, Any]) -> Mapping[int, str]:
    return (
        EVERYWHERE
        | (WITH_A_PATH if "{" in path else {})
        | (WITH_A_BODY if "requestBody" in operation else {})
    )


def _complete_problem(path: str, status: int, response: dict[str, Any]) -> None:
    shown = response.get("content", {}).get(problems.MEDIA_TYPE, {})
    # Others are FastAPI's guesses: where a route names the model only, it takes its good answer's.
    response["content"] = {problems.MEDIA_TYPE: shown}
    shown["schema"] = PROBLEM
    if "examples" not in shown:
        shown.setdefault("example", _example(path, status, response["description"]))
    for example in _examples(shown):
        example["instance"] = path
    if status == 503:
        response["headers"] = RETRY_AFTER | response.get("headers", {})


def _examples(shown: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "example" in shown:
        yield shown["example"]
    for each in shown.get("examples", {}).values():
        yield each["value"]


def _example(path: str, status: int, detail: str) -> dict[str, Any]:
    code = problems.CODES.get(status, f"Http{status}")
    faults = [problems.Fault(field="limit", message="Input should be greater than or equal to 1")]
    problem = problems.problem(
        path,
        code=code,
        status=status,
        detail=detail,
        errors=faults if status == 422 else None,
    )
    return problem.model_dump(exclude_none=True)


def _words(error: type[PlatformError]) -> str:
    return " ".join((error.__doc__ or "").split())
