"""Writes docs/reference/http.md, and the OpenAPI documents of the services that it is made from.

python -m deploy.http_reference
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from sagaline.chassis.service import Service
from sagaline.local.platform_config import PlatformConfig

Json: TypeAlias = Mapping[str, Any]
Operations: TypeAlias = dict[str, Json]  # by `GET /path`

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "reference" / "http.md"
DOCUMENTS: Final = PAGE.parent / "openapi"
LINE_CHARACTERS_MAX: Final = 100
HEAD: Final = """\
# HTTP reference

Written by `python -m deploy.http_reference` from the services' own OpenAPI documents: change those.
Every field and every limit is on each service's `/docs`, to read and to try, and in its
`/openapi.json`.

Errors are problem documents, `application/problem+json`: a `type` that never changes its meaning, a
`title`, a `detail` for people, and `errors` with the fields at fault where the request is to blame.
Besides what stands with an operation, each may answer 422 (something in the request is not valid)
and 503 with `Retry-After` (the service starts or stops, or its database can't be reached); one that
takes a body also 400 (that is no JSON), 413 (that is too long) and 415 (it doesn't say that it is
JSON). A method that a path doesn't have is 405, and `Allow` names those that it has.
"""
BESIDE: Final = """\
`GET /metrics` has the figures in Prometheus' text format, `GET /docs` the operations to try.
"""
EVERYWHERE: Final = frozenset({"400", "413", "415", "422", "503"})  # told in the head
SPEAKS_FOR_ITSELF: Final = "Successful Response"


def main() -> int:
    """Write the page."""
    DOCUMENTS.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
    for name, text in documents().items():
        (DOCUMENTS / name).write_text(text)
    return 0


def documents() -> dict[str, str]:
    """The OpenAPI documents, by file: each service's, and that of its operators' side."""
    found = {}
    for config in PlatformConfig.find(ROOT).services:
        service = import_module(f"{config.name}.service").service()
        found[f"{config.name}.json"] = service.application().openapi()
        found[f"{config.name}.operators.json"] = service.operator_application().openapi()
    return {name: json.dumps(document, indent=2) + "\n" for name, document in found.items()}


def page() -> str:
    """The page as it ought to be now."""
    services = PlatformConfig.find(ROOT).services
    made = {each: import_module(f"{each.name}.service").service() for each in services}
    public = [operations(service, operators=False) for service in made.values()]
    internal = [operations(service, operators=True) for service in made.values()]
    every, operators = common([*public, *internal]), common(internal)
    parts = [
        HEAD,
        *section("Every service, on both of its ports", every, without={}),
        BESIDE,
        *section("Every service, for its operators", operators, without=every),
    ]
    for each, mine, theirs in zip(services, public, internal, strict=True):
        parts += section(f"{each.name}, port {each.port}", mine, without=every)
        title = f"{each.name}, for its operators, port {each.operator_port}"
        parts += section(title, theirs, without=operators)
    return "\n".join(parts)


def operations(service: Service, *, operators: bool) -> Operations:
    """A side's operations by method and path, models beside each."""
    app = service.operator_application() if operators else service.application()
    document = app.openapi()
    models = document["components"]["schemas"]
    return {
        f"{method.upper()} {path}": {**said, "models": models}
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }


def common(sides: Sequence[Operations]) -> Operations:
    """What all of these have."""
    return {name: said for name, said in sides[0].items() if all(name in side for side in sides)}


def section(title: str, found: Operations, *, without: Operations) -> Iterator[str]:
    """A heading, and an operation after the other; nothing where there is none."""
    shown = {name: said for name, said in found.items() if name not in without}
    if shown:
        yield f"## {title}\n"
    for name, said in shown.items():
        yield f"### {name}\n"
        yield f"{told(said)}\n"
        yield from parameters(said)
        yield f"Answers:\n\n{answers(said)}\n"
        yield from example(name, said)


def told(said: Json) -> str:
    """Its purpose in a paragraph."""
    return " ".join(f"{said['summary']}. {said.get('description', '')}".split())


def parameters(said: Json) -> Iterator[str]:
    """A line for each one that isn't in the path."""
    lines = [
        f"- {each['in']} `{each['name']}`"
        + (f": {' '.join(each['description'].split())}" if "description" in each else "")
        for each in said.get("parameters", ())
        if each["in"] != "path"
    ]
    if lines:
        yield "\n".join(lines) + "\n"


def answers(said: Json) -> str:
    """The statuses, and what those mean that don't speak for themselves."""
    lines = []
    for status, answer in said["responses"].items():
        meaning = "" if answer["description"] == SPEAKS_FOR_ITSELF else f": {answer['description']}"
        if status not in EVERYWHERE:
            lines.append(f"- {status}{meaning.rstrip('.')}")
    return "\n".join(lines)


def example(name: str, said: Json) -> Iterator[str]:
    """A request and its answer."""
    for each in said.get("parameters", ()):
        if each["in"] == "path":
            value = examples(each, said["models"])[0]
            name = name.replace(f"{{{each['name']}}}", str(value))
    lines = [name]
    if "requestBody" in said:
        lines.append(written(examples(json_of(said["requestBody"]), said["models"])[0]))
    status = "202" if "202" in said["responses"] else "200"
    good = said["responses"][status]
    lines += ["", status]
    for media_type, content in good["content"].items():
        (shown, *_) = examples(content, said["models"])
        lines.append(written(shown) if media_type == "application/json" else shown.strip())
    yield "```http\n" + "\n".join(lines) + "\n```\n"


def json_of(shown: Json) -> Json:
    """The JSON of a body or an answer."""
    content: Json = shown["content"]["application/json"]
    return content


def examples(shown: Json, models: Mapping[str, Json]) -> list[Any]:
    """Those beside a schema, in it, or in the model that it refers to."""
    if "example" in shown:
        return [shown["example"]]
    schema = shown["schema"]
    model = models.get(schema.get("$ref", "").rpartition("/")[2], {})
    return [*schema.get("examples", []), *model.get("examples", [])]


def written(value: object, indent: int = 0) -> str:
    """JSON, in one line whatever fits there."""
    line = json.dumps(value)
    if len(line) + indent <= LINE_CHARACTERS_MAX or not isinstance(value, dict | list):
        return line
    begin, end = "\n" + " " * (indent + 2), "\n" + " " * indent
    if isinstance(value, list):
        return f"[{begin}{f',{begin}'.join(written(each, indent + 2) for each in value)}{end}]"
    members = (f"{json.dumps(name)}: {written(each, indent + 2)}" for name, each in value.items())
    return f"{{{begin}{f',{begin}'.join(members)}{end}}}"


if __name__ == "__main__":
    sys.exit(main())
