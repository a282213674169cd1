# ruff: noqa: T201 - a command prints
"""`python -m schemas.release`: keep what is new as released versions, with their examples' bytes.

Another package's schemas: `python -m schemas.release FOLDER --module PACKAGE.MODULE`. A version is
new where something other than its docs differs from the last released one.
"""

import argparse
import importlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastavro import schemaless_writer

from schemas.folder import Avro, Folder, Schema, fingerprint, read_json, resolved
from schemas.generate import OWN
from schemas.message import Message


def main(arguments: Sequence[str] | None = None) -> int:
    """Write each new version's schema and example; never changes one that is there."""
    parser = argparse.ArgumentParser(prog="python -m schemas.release", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="*.avsc of another package")
    parser.add_argument("--module", default="schemas.messages", help="generated from the folder")
    given = parser.parse_args(arguments)
    folder = OWN if given.folder is None else Folder.at(given.folder, given.folder)
    types = {
        message.avro_name: message for message in importlib.import_module(given.module).MESSAGES
    }
    for name in new_versions(folder):
        number = len(folder.versions(name)) + 1
        (folder.released / name).mkdir(parents=True, exist_ok=True)
        schema_file = folder.released / name / f"{number}.avsc"
        schema_file.write_bytes((folder.avro / f"{name}.avsc").read_bytes())
        kept = kept_example(types[name], read_json(schema_file), folder.example(name))
        schema_file.with_suffix(".json").write_text(json.dumps(kept, indent=2) + "\n")
        print(f"{name} {number}")
    return 0


def new_versions(folder: Folder) -> Iterator[str]:
    """The messages whose current schema is not released."""
    for name, schema in folder.schemas().items():
        released = folder.versions(name)
        if not released or _without_docs(released[-1].schema) != _without_docs(schema):
            yield name


def kept_example(message_type: type[Message], schema: Schema, example: Schema) -> Schema:
    """The example with its bytes, hexadecimal, in the single-object encoding."""
    out = io.BytesIO()
    message = message_type.model_validate_json(json.dumps(example))
    schemaless_writer(out, resolved(schema), message.model_dump())
    return {
        "encoded": (b"\xc3\x01" + fingerprint(schema) + out.getvalue()).hex(),
        "message": example,
    }


def _without_docs(avro: Avro) -> Avro:
    match avro:
        case dict():
            return {key: _without_docs(part) for key, part in avro.items() if key != "doc"}
        case list():
            return [_without_docs(part) for part in avro]
    return avro


if __name__ == "__main__":
    sys.exit(main())
