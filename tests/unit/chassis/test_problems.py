"""What a client gets to see when something is wrong; real requests, to an application in memory."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Query
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sagaline.chassis import logs, metrics, problems, web
from sagaline.chassis.errors import PlatformError

BODY_BYTES_MAX = 2_000
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
router = APIRouter()


class LampBroken(PlatformError):
    """Lamp {lamp} is broken."""

    status = 409


class OilSpilt(PlatformError):
    """The oil is on the floor of {place}."""


class Bulb(BaseModel):
    """A part of a lamp."""

    model_config = ConfigDict(extra="forbid", strict=True)
    watts: int = Field(ge=1, le=10_000)


class Lamp(BaseModel):
    """What is to be lit."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    bulbs: list[Bulb] = Field(default=[], max_length=100)


@router.post("/lamps")
async def post_lamp(lamp: Lamp) -> str:
    return lamp.name


@router.get("/lamps")
async def find(name: Annotated[str, Query(max_length=9)], limit: int = 1) -> list[str]:
    return [name] * limit


@router.get("/lamps/{name}")
async def get_lamp(name: str) -> str:
    match name:
        case "broken":
            raise LampBroken(lamp=name)
        case "spilt":
            raise OilSpilt(place="the secret cellar")
        case "refused":
            raise ConnectionRefusedError(111, "Connect call failed ('10.0.0.7', 5432)")
        case "queueing":
            raise PoolTimeout("QueuePool limit of size 10 overflow 0 reached")
        case _:
            raise RuntimeError("hunter2")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def client(registry: CollectorRegistry) -> AsyncIterator[httpx.AsyncClient]:
    app = web.application(
        title="lamps",
        router=router,
        body_bytes_max=BODY_BYTES_MAX,
        metrics=metrics.HttpMetrics(registry),
        log=logs.logger("lamps"),
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://lamps") as open_client:
        yield open_client


def problem(response: httpx.Response, *, status: int, code: str) -> problems.Problem:
    """The problem document, which is well-formed and of this kind."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = problems.Problem.model_validate_json(response.content)
    assert document.status == status
    assert document.type == f"https://sagaline.dev/problems/{code}"
    assert document.instance == response.request.url.path
    return document


def fields(document: problems.Problem) -> list[str]:
    return [fault.field for fault in document.errors or []]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "a", "colour": "red"}, "colour"),
        ({"name": "a", "bulbs": [{"watts": 0}]}, "bulbs[0].watts"),
        ({"name": "a", "bulbs": [{"watts": 1}, {"watts": 10_001}]}, "bulbs[1].watts"),
        ({"name": "a", "bulbs": [{"watts": "7"}]}, "bulbs[0].watts"),
        ({"name": "a", "bulbs": [{"watts": 1}] * 101}, "bulbs"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a", "bulbs": [{"watts": 1, "colour": {"x": ["\0"]}}]}, "bulbs[0].colour.x[0]"),
        ({"na\0me": "a"}, "na\\0me"),
        ([], "body"),
    ],
)
async def test_bad_input_names_the_field(
    client: httpx.AsyncClient, body: object, field: str
) -> None:
    document = problem(await client.post("/lamps", json=body), status=422, code="invalid-request")
    assert fields(document) == [field]


@pytest.mark.parametrize("text", [b"{", b'{"name": }', b"\xff\xfe{", b'{"name": "a', b"[" * 1_999])
async def test_a_body_that_is_not_json_is_told_so(client: httpx.AsyncClient, text: bytes) -> None:
    response = await client.post(
        "/lamps", content=text, headers={"content-type": "application/json"}
    )
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_number_of_a_thousand_digits_is_bad_input(client: httpx.AsyncClient) -> None:
    text = '{"name": "a", "bulbs": [{"watts": ' + "9" * 1_000 + "}]}"
    response = await client.post(
        "/lamps", content=text, headers={"content-type": "application/json"}
    )
    assert fields(problem(response, status=422, code="invalid-request")) == ["bulbs[0].watts"]


async def test_half_a_character_is_bad_input(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/lamps", content=b'{"name": "\\ud800"}', headers={"content-type": "application/json"}
    )
    assert fields(problem(response, status=422, code="invalid-request")) == ["name"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be"])
async def test_a_nul_is_bad_input_in_whichever_encoding_it_comes(
    client: httpx.AsyncClient, encoding: str
) -> None:
    response = await client.post(
        "/lamps",
        content='{"name": "a\\u0000b"}'.encode(encoding),
        headers={"content-type": "application/json"},
    )
    assert fields(problem(response, status=422, code="invalid-request")) == ["name"]


async def test_a_name_of_half_a_character_can_be_told_of(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/lamps",
        content=b'{"name": "a", "\\ud800": 1}',
        headers={"content-type": "application/json"},
    )
    problem(response, status=422, code="invalid-request")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_a_body_that_does_not_say_that_it_is_json_is_not_read(
    client: httpx.AsyncClient, media_type: str | None
) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    response = await client.post("/lamps", content=b'{"name": "a"}', headers=headers)
    problem(response, status=415, code="unsupported-media-type")
    assert response.headers["accept"] == "application/json"


async def test_no_body_at_all_is_bad_input(client: httpx.AsyncClient) -> None:
    response = await client.post("/lamps")
    assert fields(problem(response, status=422, code="invalid-request")) == ["body"]


async def test_a_nul_in_a_query_or_a_path_names_the_parameter(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/lamps?name=a%00b"), status=422, code="invalid-request")
    assert fields(found) == ["name"]
    found = problem(await client.get("/lamps/a%00b"), status=422, code="invalid-request")
    assert fields(found) == ["path"]


async def test_a_bad_query_parameter_is_named(client: httpx.AsyncClient) -> None:
    response = await client.get("/lamps?name=0123456789&limit=many")
    assert fields(problem(response, status=422, code="invalid-request")) == ["name", "limit"]


async def test_a_text_that_only_speaks_of_a_nul_is_taken(client: httpx.AsyncClient) -> None:
    response = await client.post("/lamps", json={"name": "\\u0000"})
    assert response.json() == "\\u0000"


async def test_a_body_above_the_limit_is_refused_by_its_header(client: httpx.AsyncClient) -> None:
    response = await client.post("/lamps", json={"name": "a" * BODY_BYTES_MAX})
    problem(response, status=413, code="content-too-large")


async def test_a_body_in_chunks_is_refused_at_the_limit_and_not_read_on(
    client: httpx.AsyncClient,
) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield b" " * 1_000

    response = await client.post(
        "/lamps", content=chunks(), headers={"content-type": "application/json"}
    )
    problem(response, status=413, code="content-too-large")
    assert sent <= 4


async def test_a_body_of_just_the_limit_is_taken(client: httpx.AsyncClient) -> None:
    text = b'{"name": "a"}'.ljust(BODY_BYTES_MAX)
    response = await client.post(
        "/lamps", content=text, headers={"content-type": "application/json"}
    )
    assert response.status_code == 200


async def test_an_error_of_ours_has_its_status_name_and_text(client: httpx.AsyncClient) -> None:
    document = problem(await client.get("/lamps/broken"), status=409, code="lamp-broken")
    assert (document.title, document.detail) == ("Lamp broken", "Lamp broken is broken.")


async def test_unknown_paths_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    problem(await client.get("/nowhere"), status=404, code="not-found")
    response = await client.delete("/lamps")
    problem(response, status=405, code="method-not-allowed")


@pytest.mark.parametrize(
    "path, methods",
    [("/lamps", "GET, POST"), ("/lamps/a", "GET"), ("/livez", "GET"), ("/docs/x.css", "GET, HEAD")],
)
async def test_a_wrong_method_is_told_all_that_are_right(
    client: httpx.AsyncClient, path: str, methods: str
) -> None:
    response = await client.delete(path)
    problem(response, status=405, code="method-not-allowed")
    assert response.headers["allow"] == methods


@pytest.mark.parametrize(("name", "secret"), [("bug", "hunter2"), ("spilt", "cellar")])
async def test_what_nobody_foresaw_tells_the_client_nothing(
    client: httpx.AsyncClient, registry: CollectorRegistry, name: str, secret: str
) -> None:
    response = await client.get(f"/lamps/{name}")
    problem(response, status=500, code="internal-error")
    assert secret not in response.text
    failures = registry.get_sample_value("sagaline_http_failures_total", {"route": "/lamps/{name}"})
    assert failures == 1


@pytest.mark.parametrize("name", ["refused", "queueing"])
async def test_a_database_that_is_away_is_503_and_when_to_come_again(
    client: httpx.AsyncClient, name: str
) -> None:
    response = await client.get(f"/lamps/{name}")
    problem(response, status=503, code="unavailable")
    assert response.headers["retry-after"] == "1"
    assert "10.0.0.7" not in response.text


async def test_requests_are_counted_by_template_and_not_by_id(
    client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    for path in ("/lamps/broken", "/nowhere", "/elsewhere"):
        await client.get(path)

    def count(route: str, status: str) -> float | None:
        labels = {"method": "GET", "route": route, "status": status}
        return registry.get_sample_value("sagaline_http_request_seconds_count", labels)

    assert count("/lamps/{name}", "409") == 1
    assert count("unmatched", "404") == 2


async def test_a_request_is_logged_with_its_trace(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await client.get("/lamps/broken", headers={"traceparent": TRACE})
    (line,) = [record.msg for record in caplog.records if "status" in record.msg]
    assert line["event"] == "request"  # type: ignore[index]  # structlog logs a dict
    assert (line["path"], line["status"]) == ("/lamps/broken", 409)  # type: ignore[index]
    assert line["trace_id"] == TRACE.split("-")[1]  # type: ignore[index]


async def test_the_openapi_document_says_what_a_problem_looks_like(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NotReady", ["not", "ready"]),
        ("HTTPPort", ["http", "port"]),
        ("SkuInOtherCurrency2", ["sku", "in", "other", "currency2"]),
    ],
)
def test_a_class_name_is_split_into_words(name: str, expected: list[str]) -> None:
    assert problems.words(name) == expected
