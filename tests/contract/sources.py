"""Avro sources for tests, and where this repository's lie."""

import json
from importlib.resources import files
from pathlib import Path

from sagaline.avro.folder import Avro, Folder, Schema
from sagaline.avro.package import Package

SCHEMAS = Package(Path(str(files("schemas"))))
OWN = SCHEMAS.folder
CHASSIS = Path(str(files("sagaline.chassis")))
PLATFORM = Folder.at(CHASSIS / "avro", CHASSIS / "avro")
STRING = {"name": "text", "type": "string", "doc": "A text."}


def record(*fields: Schema, name: str = "x.y.Thing", doc: str = "A thing.") -> Schema:
    namespace, _, title = name.rpartition(".")
    names = {"name": title, "namespace": namespace} if namespace else {"name": title}
    return {"type": "record", **names, "doc": doc, "fields": list(fields)}


def field(name: str, avro: Avro) -> Schema:
    return {"name": name, "type": avro, "doc": "A field."}


def array(items: Avro) -> Schema:
    return {"type": "array", "items": items}


def folder(at: Path, current: Schema, *released: Schema) -> Folder:
    name = f"{current['namespace']}.{current['name']}"
    for directory in (at / "examples", at / "released" / name):
        directory.mkdir(parents=True)
    (at / f"{name}.avsc").write_text(json.dumps(current))
    (at / "examples" / f"{name}.json").write_text("{}")
    for number, schema in enumerate(released, 1):
        (at / "released" / name / f"{number}.avsc").write_text(json.dumps(schema))
    return Folder.at(at, at)
