"""The exported OpenAPI documents: what services give now, and right by the specification."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from deploy.http_reference import DOCUMENTS, documents

MADE = documents()


@pytest.mark.parametrize("name", MADE)
def test_a_document_is_what_the_service_gives(name: str) -> None:
    assert (DOCUMENTS / name).read_text() == MADE[name], "run `make reference`"


def test_there_is_no_other_document() -> None:
    assert {file.name for file in DOCUMENTS.iterdir()} == MADE.keys()


@pytest.mark.parametrize("name", MADE)
def test_a_document_is_right_by_the_specification(name: str) -> None:
    OpenAPIV31SpecValidator(json.loads(MADE[name])).validate()


def test_a_wrong_document_is_found() -> None:
    wrong = json.loads(MADE["order_service.json"])
    next(iter(wrong["paths"].values()))["get"]["responses"] = []
    with pytest.raises(OpenAPIValidationError):
        OpenAPIV31SpecValidator(wrong).validate()
