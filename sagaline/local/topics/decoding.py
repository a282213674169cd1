"""What a record of a topic says: its payload by its schema, or why that can't be had."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sagaline.chassis.catalog import Catalog
from sagaline.chassis.codec import Codec
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.log_records import LogRecord

BLANK = "(redacted)"
NOT_PERSONAL = "none"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record and what it says; `problem` tells why there is no payload, though there are bytes.

    With `redacted`, nothing personal is in the payload, and bytes that nobody understands are not
    to be shown.
    """

    record: LogRecord
    type: str | None
    payload: Mapping[str, object] | None
    problem: str | None
    redacted: bool = False

    def header(self, name: str) -> str | None:
        """Give the header's text; None when there is none, or it is no text."""
        return header(self.record, name)


class Decoder:
    """Reads records by a catalog's schemas, the platform's own among them."""

    def __init__(self, catalog: Catalog, *, redact: bool = False) -> None:
        self._codec = Codec(catalog)
        self._catalog = catalog
        self._redact = redact
        self._schema = lru_cache(maxsize=None)(catalog.reader_schema)  # read from a file each time

    def decode(self, record: LogRecord) -> Decoded:
        """Give what the record says, whatever bytes it has."""
        kind = header(record, "ce_type")
        if record.unread is not None or record.value is None:
            return Decoded(record, kind, None, record.unread, self._redact)
        try:
            message = self._codec.decode(record.value)
        except PlatformError as error:
            return Decoded(record, kind, None, str(error), self._redact)
        payload = json.loads(message.model_dump_json())
        if self._redact and message.avro_name in self._catalog.messages:
            payload = blanked(payload, self._schema(message.avro_name))
        return Decoded(record, kind or message.avro_name, payload, None, self._redact)


def blanked(payload: object, schema: object) -> object:
    """Give `payload` without the values of fields whose schema names a class of personal data."""
    match payload, schema:
        case dict(), {"type": "record", "fields": list(fields)}:
            known = {field["name"]: field for field in fields}
            return {name: _field(value, known.get(name)) for name, value in payload.items()}
        case list(), {"type": "array", "items": items}:
            return [blanked(item, items) for item in payload]
        case dict(), {"type": "map", "values": values}:
            return {name: blanked(value, values) for name, value in payload.items()}
        case dict() | list(), list(branches):  # a union: at most one branch fits
            return next((found for found in _each(payload, branches) if found != payload), payload)
    return payload


def _each(payload: object, branches: Iterable[object]) -> Iterable[object]:
    return (blanked(payload, branch) for branch in branches)


def _field(value: object, field: Mapping[str, object] | None) -> object:
    if field is None or value is None:
        return value
    if field.get("sagaline.pii", NOT_PERSONAL) != NOT_PERSONAL:
        return BLANK
    return blanked(value, field["type"])


def header(record: LogRecord, name: str) -> str | None:
    """Give the first header called `name` as text; None when there is none, or it is no text."""
    value = next((value for known, value in record.headers if known == name), None)
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
