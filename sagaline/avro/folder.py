"""A folder of Avro sources: current schemas, released versions, examples. For development only."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fastavro.schema import fingerprint as hex_fingerprint
from fastavro.schema import parse_schema, to_parsing_canonical_form

Schema: TypeAlias = dict[str, Any]  # a record: JSON of any depth
Avro: TypeAlias = Any  # any type: a name, a list (a union), a dict


@dataclass(frozen=True, slots=True)
class Version:
    """One released version of a message: its number, schema file, and example with its bytes."""

    number: int
    schema_file: Path
    example_file: Path

    @property
    def schema(self) -> Schema:
        """The schema as it was released."""
        return read_json(self.schema_file)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where schemas lie: `avro/*.avsc`, `released/<full name>/<n>.avsc`, `examples/*.json`."""

    avro: Path
    released: Path
    examples: Path

    @classmethod
    def at(cls, avro: Path, home: Path) -> "Folder":
        """Current schemas lie in `avro`; released versions and examples in folders of `home`."""
        return cls(avro, home / "released", home / "examples")

    def schemas(self) -> dict[str, Schema]:
        """The current schemas by full name, in its order."""
        return {file.stem: read_json(file) for file in sorted(self.avro.glob("*.avsc"))}

    def example(self, name: str) -> Schema:
        """The current example of a message, as JSON."""
        return read_json(self.examples / f"{name}.json")

    def versions(self, name: str) -> list[Version]:
        """The released versions of a message, oldest first."""
        files = (self.released / name).glob("*.avsc")
        numbered = sorted((int(file.stem), file) for file in files)
        return [Version(n, file, file.with_suffix(".json")) for n, file in numbered]

    def files(self) -> Iterator[tuple[Path, Schema]]:
        """Every schema that a record may be written in; released ones first, current ones last."""
        for file in sorted(self.released.glob("*/*.avsc")):
            yield file, read_json(file)
        for file in sorted(self.avro.glob("*.avsc")):
            yield file, read_json(file)


def read_json(file: Path) -> Schema:
    """The JSON object in a file."""
    content = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(content, dict), file
    return content


def resolved(schema: Schema) -> Schema:
    """The schema with every name in full; raises SchemaParseException when it is none."""
    parsed = parse_schema(schema, _write_hint=False)
    assert isinstance(parsed, dict), schema
    return parsed


def fingerprint(schema: Schema) -> bytes:
    """CRC-64-AVRO of the canonical form, its 8 bytes as in the single-object encoding."""
    return bytes.fromhex(hex_fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
