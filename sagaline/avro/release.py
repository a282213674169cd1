# ruff: noqa: T201 - a command prints
"""`python -m sagaline.avro.release [FOLDER]`: keep what is new as released versions.

FOLDER is a package of schemas (default: schemas), whose MODULE of models is FOLDER.messages; with
--module it is a folder of *.avsc alone. A version is new where something other than its docs
differs from the last released one; its example is kept with its bytes.
"""

import argparse
import importlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastavro import schemaless_writer

from sagaline.avro.folder import Avro, Folder, Schema, fingerprint, read_json, resolved
from sagaline.avro.message import Message
from sagaline.avro.package import DEFAULT, Package


def main(arguments: Sequence[str] | None = None) -> int:
    """Write each new version's schema and example; never changes one that is there."""
    parser = argparse.ArgumentParser(prog="python -m sagaline.avro.release", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT)
    parser.add_argument("--module", help="models of a folder of *.avsc alone, as PACKAGE.MODULE")
    given = parser.parse_args(arguments)
    if given.module is None:
        folder, module = Package(given.folder).folder, f"{given.folder.name}.messages"
    else:
        folder, module = Folder.at(given.folder, given.folder), given.module
    types = {message.avro_name: message for message in importlib.import_module(module).MESSAGES}
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
