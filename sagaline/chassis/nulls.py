"""Nulls in the examples of an OpenAPI document: FastAPI drops them, so they are put back."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import JsonValue

Schema: TypeAlias = Mapping[str, Any]


def restored(example: JsonValue, schema: Schema, models: Mapping[str, Schema]) -> JsonValue:
    """The example, with null for each member that `schema` requires and that is missing.

    `models` are the schemas that it may refer to, by name.
    """
    schema = models.get(schema.get("$ref", "").rpartition("/")[2], schema)
    for kind in schema.get("anyOf", ()):
        example = restored(example, kind, models)
    if isinstance(example, list) and "items" in schema:
        return [restored(each, schema["items"], models) for each in example]
    if not isinstance(example, dict) or "properties" not in schema:
        return example
    required = schema.get("required", ())
    return {
        name: restored(example.get(name), member, models)
        for name, member in schema["properties"].items()
        if name in example or name in required
    } | {name: value for name, value in example.items() if name not in schema["properties"]}


def restore(document: dict[str, Any]) -> None:
    """The document's examples are whole again: those of models, and those of good answers."""
    models = document.get("components", {}).get("schemas", {})
    for model in models.values():
        if "examples" in model:
            model["examples"] = [restored(each, model, models) for each in model["examples"]]
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                shown = response.get("content", {}).get("application/json", {})
                if "example" in shown:
                    shown["example"] = restored(shown["example"], shown["schema"], models)
