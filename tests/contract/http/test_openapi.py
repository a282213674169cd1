"""Every operation of every service does what its OpenAPI document says, whatever it is sent.

Requests that the document allows and requests that it forbids, to the real services. `HTTP_SEED=…`
repeats another choice of them; each failure shows the request as a curl command.
"""

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests
import schemathesis
from schemathesis import Case, CheckFunction, Config
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sagaline.chassis.problems import TYPES
from sagaline.local.embedded import EmbeddedPlatform
from tests.contract.http.sides import Side, sides

SEED: Final = int(os.environ.get("HTTP_SEED", "20261122"))
EXAMPLES: Final = 8  # random ones of an operation, beside those at the edges of its document
WITHIN_S: Final = 60
SIDES: Final = {side.document["info"]["title"]: side for side in sides()}

# What all services have of the chassis is tried in full on one of them.
IN_FULL: Final = "inventory_service"
OF_THE_CHASSIS: Final = ("operation", "dead letters", "outbox", "replays")
BRIEFLY: Final = {
    "include-tag": list(OF_THE_CHASSIS),
    "generation": {"max-examples": 2},
    "phases": {"coverage": {"enabled": False}},
}
CHECKED: Final = {
    "ignored_auth": {"enabled": False},  # nobody is authenticated yet
    "negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 415, 422]},
}
# A problem of another type than this one is a refusal of what is valid: of a cursor that nobody
# gave, of an idempotency key that was used before.
INVALID: Final = f"{TYPES}invalid-request"
# Likewise these, which no schema can tell; the last is of 46.0, where we want 46.
RULES: Final = (
    "stands in two lines",
    "name an id, a topic, a key or an error_class",
    "NUL characters are not allowed",
    "Input should be a valid integer",
)


def described(side: Side) -> schemathesis.BaseSchema:
    config = {
        "seed": SEED,
        "generation": {"max-examples": EXAMPLES, "database": "none"},
        "checks": CHECKED,
        "operations": [] if side.service == IN_FULL else [BRIEFLY],
    }
    return schemathesis.openapi.from_dict(dict(side.document), config=Config.from_dict(config))


@pytest.fixture(scope="session")
def http() -> Iterator[requests.Session]:
    """Connections that are kept, and know of no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@schemathesis.pytest.parametrize(**{side.name: described(side) for side in SIDES.values()})
def test_an_operation_answers_as_its_document_says(
    case: Case[Any], embedded_platform: EmbeddedPlatform, http: requests.Session
) -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    side = SIDES[case.operation.schema.raw_schema["info"]["title"]]
    urls = embedded_platform.operator_urls if side.operators else embedded_platform.urls
    answer = case.call(base_url=urls[side.service], session=http, timeout=WITHIN_S)
    excluded: list[CheckFunction] = [positive_data_acceptance] if refused(answer) else []
    case.validate_response(answer, excluded_checks=excluded)


def refused(answer: schemathesis.Response) -> bool:
    """Whether the request was valid, as far as a document can tell."""
    if answer.status_code < 400:
        return False
    problem = answer.json()
    return problem["type"] != INVALID or any(rule in problem["detail"] for rule in RULES)
