"""Avro schemas as the source text of pydantic models."""

import json
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.folder import Folder, Schema, fingerprint, resolved

PRIMITIVES = {"string": "str", "boolean": "bool", "int": "Int32", "long": "Int64"}
LOGICAL = {("string", "uuid"): "UUID", ("long", "timestamp-micros"): "UtcTime"}
DOC_WIDTH = 76  # of a line in a description, so that the code stays within 100 columns

ALIASES = ("Int32", "Int64", "Part", "UtcTime")  # what stands beside the base class, if used
MODULE = '''"""Generated from Avro schemas by `python -m schemas.generate`: edit those, not this."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final{literal}
from uuid import UUID

from pydantic import Field

from {base_module} import {bases}


{classes}


MESSAGES: Final[tuple[type[{base}], ...]] = ({messages},)

# The file of each schema that a record may be written in, by hexadecimal fingerprint.
WRITERS: Final[Mapping[str, str]] = MappingProxyType({writers})
'''


class Models:
    """Collects a folder's records, each once, the inner ones before those that hold them."""

    def __init__(self, base: str) -> None:
        self._base = base  # class of messages; inner records are Parts
        self._records: dict[str, Schema] = {}  # by full name
        self._classes: dict[str, str] = {}  # source by class name
        self.messages: list[str] = []  # class names

    def add(self, source: Schema) -> None:
        """Take a message in, with the records inside it."""
        record = resolved(source)
        self._add(record, self._base, _facts(record, source))
        self.messages.append(_class_name(record["name"]))

    def source(self) -> str:
        """The classes, in an order that runs."""
        return "\n\n\n".join(self._classes.values())

    def _add(self, record: Schema, base: str, facts: Iterable[str] = ()) -> None:
        name, title = record["name"], _class_name(record["name"])
        if name in self._records:
            assert self._records[name] == record, f"{name} is defined in two ways"
            return
        fields = [self._field(field) for field in record["fields"]]
        assert title not in self._classes, f"two records have the class name {title}"
        docstring = "\n".join(textwrap.wrap(f'"""{record["doc"]}"""', width=95))
        body = "\n".join([docstring, "", *facts, "", *fields])
        self._records[name] = record
        self._classes[title] = f"class {title}({base}):\n{textwrap.indent(body, '    ')}"

    def _field(self, field: Schema) -> str:
        parts = [f"description={_text(field['doc'])}"]
        if "default" in field:
            default = field["default"]
            parts.insert(0, f"default={() if default == [] else default!r}")
        return f"{field['name']}: {self._type(field['type'])} = Field({', '.join(parts)})"

    def _type(self, avro: Any) -> str:
        match avro:
            case str() if avro in PRIMITIVES:
                return PRIMITIVES[avro]
            case str() if avro in self._records:
                return _class_name(avro)
            case ["null", some]:
                return f"{self._type(some)} | None"
            case {"type": "array", "items": items}:
                return f"tuple[{self._type(items)}, ...]"
            case {"type": "enum", "symbols": symbols}:
                return f"Literal[{', '.join(map(repr, symbols))}]"
            case {"type": "record", "name": name}:
                self._add(avro, "Part")
                return _class_name(name)
            case {"type": plain, "logicalType": logical} if (plain, logical) in LOGICAL:
                return LOGICAL[plain, logical]
        raise ValueError(f"no model for {avro!r}")


def render_models(folder: Folder, module: Path, base: str) -> str:
    """The source of `module`, unformatted: the folder's models on `base`, "package.module:Class"."""
    base_module, _, base_class = base.partition(":")
    models = Models(base_class)
    for schema in folder.schemas().values():
        models.add(schema)
    writers = {
        fingerprint(schema).hex(): file.relative_to(module.parent).as_posix()
        for file, schema in folder.files()  # a current schema comes after its released copy
    }
    classes = models.source()
    return MODULE.format(
        literal=", Literal" if "Literal[" in classes else "",
        base_module=base_module,
        bases=", ".join(sorted([base_class, *(name for name in ALIASES if name in classes)])),
        base=base_class,
        classes=classes,
        messages=", ".join(models.messages),
        writers=json.dumps(writers, sort_keys=True),
    )


def _facts(record: Schema, source: Schema) -> list[str]:
    """Class variables of a message."""
    facts = [
        f"avro_name: ClassVar[str] = {record['name']!r}",
        f"fingerprint: ClassVar[bytes] = bytes.fromhex({fingerprint(source).hex()!r})",
    ]
    if outcome := source.get("sagaline.outcome"):
        facts.append(f"outcome: ClassVar[str | None] = {outcome!r}")
    if replies := full_replies(source):
        facts.append(f"replies: ClassVar[tuple[str, ...]] = {replies!r}")
    return facts


def full_replies(command: Schema) -> tuple[str, ...]:
    """Full names of a command's replies: `x.commands` is answered in `x.replies`."""
    namespace = command["namespace"].rpartition(".")[0] + ".replies"
    return tuple(f"{namespace}.{reply}" for reply in command.get("sagaline.replies", ()))


def _class_name(full_name: str) -> str:
    return full_name.rpartition(".")[2]


def _text(doc: str) -> str:
    lines = textwrap.wrap(doc, DOC_WIDTH)
    spaced = [*(f"{line} " for line in lines[:-1]), lines[-1]]
    quoted = "\n".join(json.dumps(line, ensure_ascii=False) for line in spaced)
    return f"({quoted})" if len(spaced) > 1 else quoted
