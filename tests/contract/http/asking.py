"""How services are asked: which requests are made from their documents, and what is held against.

`HTTP_SEED=…` makes another choice of requests than usual.
"""

import os
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckFunction, Config
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sagaline.chassis.problems import TYPES
from sagaline.testing import Environment
from tests.contract.http.sides import Side

SEED: Final = int(os.environ.get("HTTP_SEED", "20261122"))
EXAMPLES: Final = 8  # random ones of an operation, beside those at the edges of its document
WITHIN_S: Final = 60

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
    "a topic, a key or an error_class",
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


def url_of(side: Side, platform: Environment) -> str:
    return (platform.operator_urls if side.operators else platform.urls)[side.service]


def validated(case: Case[Any], answer: schemathesis.Response) -> None:
    """The answer is what the document says."""
    excluded: list[CheckFunction] = [positive_data_acceptance] if refused(answer) else []
    case.validate_response(answer, excluded_checks=excluded)


def refused(answer: schemathesis.Response) -> bool:
    """Whether the request was valid, as far as a document can tell."""
    if answer.status_code < 400:
        return False
    problem = answer.json()
    return problem["type"] != INVALID or any(rule in problem["detail"] for rule in RULES)
