"""Every operation of every service does what its OpenAPI document says, whatever it is sent.

Requests that the document allows and requests that it forbids, to the real services. A failure
shows its request as a curl command.
"""

from typing import Any, Final

import requests
import schemathesis
from schemathesis import Case

from sagaline.testing import Environment
from tests.contract.http.asking import SEED, WITHIN_S, described, url_of, validated
from tests.contract.http.sides import sides

SIDES: Final = {side.document["info"]["title"]: side for side in sides()}


@schemathesis.pytest.parametrize(**{side.name: described(side) for side in SIDES.values()})
def test_an_operation_answers_as_its_document_says(
    case: Case[Any], environment: Environment, http: requests.Session
) -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    side = SIDES[case.operation.schema.raw_schema["info"]["title"]]
    answer = case.call(base_url=url_of(side, environment), session=http, timeout=WITHIN_S)
    validated(case, answer)
