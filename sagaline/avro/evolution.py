"""Which versions of a message can read which: FULL_TRANSITIVE, each version every other.

Stricter than Avro where Avro's promise is one-way or our models don't keep it: no promotion of
numbers, no renaming by aliases, no falling back to an enum's default.
"""

from collections.abc import Iterator
from itertools import permutations

from fastavro.schema import expand_schema

from sagaline.avro.folder import Avro, Folder, Schema


def evolution_problems(folder: Folder) -> Iterator[str]:
    """What keeps a version, released or current, from reading another."""
    current = folder.schemas()
    for name in sorted(file.name for file in folder.released.glob("*")):
        versions = {str(version.number): version.schema for version in folder.versions(name)}
        if name not in current:
            yield f"{name} was released and is gone: records of it may still be in a log"
            continue
        versions["current"] = current[name]
        for (reader_no, reader), (writer_no, writer) in permutations(versions.items(), 2):
            for problem in unreadable(reader, writer):
                yield f"{name}: {reader_no} can't read {writer_no}: {problem}"


def unreadable(reader: Schema, writer: Schema) -> Iterator[str]:
    """Why a message of `writer` can't be read as `reader`; nothing when it always can."""
    if reader.get("sagaline.outcome") != writer.get("sagaline.outcome"):
        yield "its outcome changed, and with it what the saga does"
    yield from _unreadable(expand_schema(reader), expand_schema(writer), "it")


def _unreadable(reader: Avro, writer: Avro, at: str) -> Iterator[str]:
    match reader, writer:
        case _, list():
            for branch in writer:
                yield from _unreadable(reader, branch, at)
        case list(), _:
            if all(any(_unreadable(branch, writer, at)) for branch in reader):
                yield f"{at} is of no type that is read"
        case {"type": "array"}, {"type": "array"}:
            yield from _unreadable(reader["items"], writer["items"], f"{at}[]")
        case {"type": "enum", "name": name}, {"type": "enum", "name": written} if name == written:
            for symbol in set(writer["symbols"]) - set(reader["symbols"]):
                yield f"{at} has no symbol {symbol}"
        case {"type": "record", "name": name}, {"type": "record", "name": written} if (
            name == written
        ):
            yield from _unreadable_fields(reader, writer, at)
        case _:
            if _plain(reader) != _plain(writer):
                yield f"{at} was {_plain(writer)} and is read as {_plain(reader)}"


def _unreadable_fields(reader: Schema, writer: Schema, at: str) -> Iterator[str]:
    written = {field["name"]: field for field in writer["fields"]}
    for field in reader["fields"]:
        name = field["name"]
        if name in written:
            yield from _unreadable(field["type"], written[name]["type"], f"{at}.{name}")
        elif "default" not in field:
            yield f"{at}.{name} is missing there and has no default"


def _plain(avro: Avro) -> str:
    """A type in a word, with its meaning: the canonical form leaves out the logical type."""
    if isinstance(avro, dict):
        name = avro.get("name", avro["type"])
        return f"{avro['logicalType']} {name}" if "logicalType" in avro else str(name)
    return str(avro)
