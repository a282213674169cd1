"""What every OpenAPI document of ours says of each operation: purpose, example, problems."""

from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs
import pytest

from sagaline.chassis import problems
from tests.contract.http.sides import Json, Operation, operations, sides

SIDES: Final = sides()
OPERATIONS: Final = [each for side in SIDES for each in operations(side)]
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)


@every_operation
def test_an_operation_says_what_it_is_for_and_where_it_belongs(operation: Operation) -> None:
    said = operation.said
    name = said["operationId"].split("-")[-1]
    assert said["summary"] != name.replace("_", " ").title(), "no docstring"
    assert said["tags"]


@every_operation
def test_an_operation_says_what_it_needs_and_gives_by_examples_that_are_valid(
    operation: Operation,
) -> None:
    for schema, found in examples(operation):
        assert found, f"no example for {schema}"
        for example in found:
            whole = {**schema, "components": operation.side.document["components"]}
            jsonschema_rs.validator_for(whole, validate_formats=True).validate(example)


@every_operation
def test_an_operation_says_which_problems_it_can_meet_and_shows_each(operation: Operation) -> None:
    answers = operation.said["responses"]
    assert {"422", "503"} <= set(answers)
    if "requestBody" in operation.said:
        assert {"400", "413", "415"} <= set(answers)
    for status in (status for status in answers if int(status) >= 400):
        (media_type, content), *others = answers[status]["content"].items()
        assert (media_type, others) == (problems.MEDIA_TYPE, [])
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        for example in examples_of(content):
            assert problems.Problem.model_validate(example).status == int(status)
    assert "Retry-After" in answers["503"]["headers"]


def examples(operation: Operation) -> Iterator[tuple[Json, list[Any]]]:
    """Each schema of what goes in and, on a good day, comes out in JSON, with its examples."""
    for parameter in operation.said.get("parameters", ()):
        if parameter["required"]:
            yield parameter["schema"], examples_of(parameter)
    contents = [operation.said.get("requestBody", {"content": {}})["content"]]
    contents += [
        answer["content"]
        for status, answer in operation.said["responses"].items()
        if int(status) < 300 and "content" in answer
    ]
    for content in contents:
        if "application/json" in content:
            found = content["application/json"]
            yield found["schema"], examples_of(found) or referred(operation, found["schema"])


def examples_of(shown: Json) -> list[Any]:
    """Those that stand beside a schema, or in it."""
    beside = [each["value"] for each in shown.get("examples", {}).values()]
    alone = [shown["example"]] if "example" in shown else []
    return [*beside, *alone, *shown["schema"].get("examples", [])]


def referred(operation: Operation, schema: Json) -> list[Any]:
    """Those of the model that a schema refers to."""
    name = schema.get("$ref", "/").rpartition("/")[2]
    model = operation.side.document["components"]["schemas"].get(name, {})
    return list(model.get("examples", []))
