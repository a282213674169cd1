"""What one answer leads to can be asked for next: an order, a shelf, an account."""

from typing import Any, Final

import pytest
import requests
from hypothesis import HealthCheck, settings
from schemathesis import Case, Response

from sagaline.testing import Environment
from tests.contract.http.asking import SEED, WITHIN_S, described, url_of, validated
from tests.contract.http.sides import Side, sides

STORIES: Final = settings(
    max_examples=20,
    stateful_step_count=4,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
WRITTEN: Final = ("gateway_service", "inventory_service", "payment_service")
SIDES: Final = [side for side in sides() if not side.operators and side.service in WRITTEN]


@pytest.mark.parametrize("side", SIDES, ids=lambda side: side.name)
def test_what_an_answer_leads_to_answers_as_its_document_says(
    side: Side, environment: Environment, http: requests.Session
) -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    answered: set[tuple[str, int]] = set()

    class Stories(described(side).as_state_machine()):  # type: ignore[misc] # made at run time
        def call(self, case: Case[Any], **_: Any) -> Response:
            url = url_of(side, environment)
            return case.call(base_url=url, session=http, timeout=WITHIN_S)

        def validate_response(self, response: Response, case: Case[Any], **_: Any) -> None:
            answered.add((case.operation.label, response.status_code))
            validated(case, response)

    Stories.run(settings=STORIES)
    # Not only 404: the stories have found what they had made.
    good = {label for label, status in answered if status < 300}
    assert any("{" in label and label.startswith("GET") for label in good), sorted(answered)
