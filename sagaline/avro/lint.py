# ruff: noqa: T201 - a command prints
"""`python -m sagaline.avro.lint [FOLDER]`: what schemas and topics must not be.

FOLDER is a package of schemas (default: schemas), or a folder of *.avsc alone. Exit 0: no problem
was found; 1: there are some.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from fastavro.schema import SchemaParseException, UnknownType

from sagaline.avro.evolution import evolution_problems
from sagaline.avro.folder import Avro, Folder, Schema, resolved
from sagaline.avro.package import DEFAULT, Package
from sagaline.avro.topic_lint import topic_problems

UTC_MICROS = {"type": "long", "logicalType": "timestamp-micros"}


def main(arguments: Sequence[str]) -> int:
    """Print the problems of the folder; the exit code."""
    home = Path(arguments[0]) if arguments else DEFAULT
    problems = list(problems_at(home))
    print("\n".join(problems) or "no problem found")
    return 1 if problems else 0


def problems_at(home: Path) -> Iterator[str]:
    """What is wrong with a package of schemas and its topics, or with a folder of *.avsc alone."""
    if any(home.glob("*.avsc")):
        yield from folder_problems(Folder.at(home, home))
        return
    package = Package(home)
    if lacks := list(package.lacks()):
        yield from lacks
        return
    yield from folder_problems(package.folder)
    yield from topic_problems(package.topics(), package.folder.schemas())


def folder_problems(folder: Folder) -> Iterator[str]:
    """What is wrong with a folder's schemas, one by one and against what was released."""
    schemas = folder.schemas()
    for name, schema in schemas.items():
        yield from (f"{name}: {problem}" for problem in schema_problems(schema, name))
    for _, schema in folder.files():
        # A record of an old version is still decoded, so that these hold for ever.
        record = resolved(schema)
        yield from (f"{record['name']}: {problem}" for problem in _unbounded(record))
    examples = {file.stem for file in folder.examples.glob("*.json")}
    for name in sorted(examples ^ schemas.keys()):
        yield f"{name}: an example without a schema, or the other way round"
    yield from evolution_problems(folder)


def schema_problems(schema: Schema, name: str) -> Iterator[str]:
    """What is wrong with one schema by itself; `name` is what its file says that it is."""
    try:
        record = resolved(schema)
    except (SchemaParseException, UnknownType) as error:
        yield f"is no Avro schema: {error!r}"
        return
    written = f"{schema.get('namespace')}.{schema.get('name')}"
    if record["type"] != "record" or written != name:
        yield f"is a {record['type']} named {written}"
        return
    yield from _undocumented(record)
    yield from _amiss(record, enclosing=set())


def _records(avro: Avro) -> Iterator[Schema]:
    """The record and those inside it, each where it is defined."""
    match avro:
        case {"type": "record", "fields": fields}:
            yield avro
            yield from chain.from_iterable(_records(field["type"]) for field in fields)
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _records(inner)
        case list():
            yield from chain.from_iterable(map(_records, avro))


def _undocumented(message: Schema) -> Iterator[str]:
    for record in _records(message):
        if not record.get("doc"):
            yield f"{record['name']} has no doc"
        for field in record["fields"]:
            if not field.get("doc"):
                yield f"{record['name']}.{field['name']} has no doc"


def _amiss(record: Schema, enclosing: Iterable[str]) -> Iterator[str]:
    """Amounts without a currency, times that are not micros UTC, here and inside."""
    names = {field["name"] for field in record["fields"]} | set(enclosing)
    for field in record["fields"]:
        name, avro = field["name"], field["type"]
        if name.endswith("_minor") and (avro != "long" or "currency" not in names):
            yield f"{name} is money: a long, beside or inside of its currency"
        if name.endswith("_at") and UTC_MICROS not in (avro, *(avro if _is_union(avro) else ())):
            yield f"{name} is a time: a timestamp-micros"
        inner = avro["items"] if isinstance(avro, dict) and avro["type"] == "array" else avro
        if isinstance(inner, dict) and inner["type"] == "record":
            yield from _amiss(inner, names)


def _is_union(avro: Avro) -> bool:
    return isinstance(avro, list)


def _unbounded(message: Schema) -> Iterator[str]:
    """Recursion, which can exhaust the stack; items of no bytes, which can exhaust memory."""
    known = {record["name"]: record for record in _records(message)}
    recursive = list(_recursive(message, known, path=()))
    yield from recursive
    if not recursive:  # else what follows would not end
        for record in known.values():
            for field in record["fields"]:
                yield from _weightless(field["type"], known, f"{record['name']}.{field['name']}")


def _recursive(avro: Avro, known: dict[str, Schema], path: tuple[str, ...]) -> Iterator[str]:
    match avro:
        case str() if avro in path:
            yield f"{avro} is inside of itself"
        case str() if avro in known:
            yield from _recursive(known[avro], known, path)
        case {"type": "record", "name": name, "fields": fields}:
            for field in fields:
                yield from _recursive(field["type"], known, (*path, name))
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _recursive(inner, known, path)
        case list():
            yield from chain.from_iterable(_recursive(branch, known, path) for branch in avro)


def _weightless(avro: Avro, known: dict[str, Schema], at: str) -> Iterator[str]:
    match avro:
        case {"type": "array", "items": items}:
            if _bytes_min(items, known) == 0:
                yield f"{at}: items of no bytes: a few bytes would decode to gigabytes"
            yield from _weightless(items, known, at)
        case list():
            yield from chain.from_iterable(_weightless(branch, known, at) for branch in avro)


def _bytes_min(avro: Avro, known: dict[str, Schema]) -> int:
    """The least that a value of this type takes encoded; what matters is whether it is 0."""
    match avro:
        case "null" | {"type": "null"}:
            return 0
        case {"type": "fixed", "size": int() as size}:
            return size
        case {"type": "record", "fields": fields}:
            return sum(_bytes_min(field["type"], known) for field in fields)
        case str() if avro in known:
            return _bytes_min(known[avro], known)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
