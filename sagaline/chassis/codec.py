"""Messages to bytes and back: Avro's single-object encoding, `C3 01`, fingerprint, body.

See docs/architecture.md, "Schemas". A body is read with the schema that it was written in; the
model then resolves it: fields that it doesn't know are dropped, missing ones get their defaults.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from io import BytesIO
from typing import Any, Final, NamedTuple

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from sagaline.chassis import messages as platform
from sagaline.chassis.catalog import Catalog, Message
from sagaline.chassis.errors import UndecodableRecord, UnknownFingerprint
from sagaline.chassis.shape import Shape, shape_of

MARKER: Final = b"\xc3\x01"
HEADER_BYTES: Final = 10  # marker and fingerprint

# What readers and pydantic raise at bytes that don't fit: an end too early, in a number too; not
# UTF-8, not a UUID, not what the model takes; a time after the year 9999.
MISFITS: Final = (EOFError, IndexError, ValueError, OverflowError)


class Writer(NamedTuple):
    """A schema that records are written in: their type, and how they become bytes and back."""

    message_type: type[Message]
    shape: Shape


class Codec:
    """Encodes and decodes a catalog's messages and the platform's own; keeps parsed schemas."""

    def __init__(self, catalog: Catalog, *, bytes_max: int = 262_144) -> None:
        """More than `bytes_max` are not decoded: one can become a hundred in memory."""
        self.catalog = catalog
        self._bytes_max = bytes_max
        # Platform messages come last: no catalog can put another in a platform message's place.
        self._types: Mapping[str, type[Message]] = {
            **catalog.messages,
            **{message.avro_name: message for message in platform.MESSAGES},
        }
        self._writers: dict[bytes, Writer] = {}  # filled as they are met

    def encode(self, message: Message) -> bytes:
        """The message in the current schema of its type."""
        fingerprint = message.fingerprint
        return b"%b%b%b" % (MARKER, fingerprint, self._writer(fingerprint).shape.put(message))

    def decode(self, data: bytes) -> Message:
        """The message in `data`, whichever bytes these are.

        Raises UnknownFingerprint, which a newer release of the schemas mends, or UndecodableRecord,
        which nothing does.
        """
        if len(data) > self._bytes_max:
            raise UndecodableRecord(reason=f"{len(data)} bytes, more than {self._bytes_max}")
        if len(data) < HEADER_BYTES or not data.startswith(MARKER):
            raise UndecodableRecord(reason=f"no single-object encoding: {data[:HEADER_BYTES]!r}")
        writer = self._writer(data[len(MARKER) : HEADER_BYTES])
        name = writer.message_type.avro_name
        try:
            fields, end = writer.shape.take(data, HEADER_BYTES)
            message = writer.message_type.model_validate(fields, extra="ignore")
        except MISFITS as error:
            raise UndecodableRecord(reason=f"{name}: {error!r}") from error
        if end != len(data):
            raise UndecodableRecord(reason=f"{name}: {len(data) - end} bytes too many")
        return message

    def unknown_in(self, data: bytes | None) -> bytes | None:
        """The fingerprint in `data` that nothing is known of; None for what `decode` can judge."""
        if data is None or len(data) < HEADER_BYTES or not data.startswith(MARKER):
            return None
        fingerprint = data[len(MARKER) : HEADER_BYTES]
        if fingerprint not in self._writers:
            try:
                self._writer(fingerprint)
            except UnknownFingerprint:
                return fingerprint
        return None

    def learn(self, fingerprint: bytes, schema: Mapping[str, object]) -> bool:
        """Records in this schema can be read; False where this release lacks the type of message.

        It must have been checked (`foreign_schema`): it comes from elsewhere.
        """
        message_type = self._types.get(f"{schema.get('namespace')}.{schema.get('name')}")
        if message_type is None:
            return False
        self._writers.setdefault(fingerprint, _writer_of(message_type, schema))
        return True

    def schema_text(self, fingerprint: bytes) -> bytes:
        """The schema of these 8 bytes as one JSON text, always the same. UnknownFingerprint."""
        return json.dumps(self._schema(fingerprint), separators=(",", ":")).encode()

    def _writer(self, fingerprint: bytes) -> Writer:
        """What is known of the schema of these 8 bytes; raises UnknownFingerprint."""
        found = self._writers.get(fingerprint)
        if found is None:
            schema = self._schema(fingerprint)
            message_type = self._types.get(f"{schema['namespace']}.{schema['name']}")
            if message_type is None:  # a message that this release of the schemas has no more
                raise UnknownFingerprint(fingerprint=fingerprint.hex())
            found = self._writers[fingerprint] = _writer_of(message_type, schema)
        return found

    def _schema(self, fingerprint: bytes) -> Mapping[str, object]:
        try:
            if file := platform.WRITERS.get(fingerprint.hex()):
                own: Mapping[str, object] = json.loads(
                    files("sagaline.chassis").joinpath(file).read_bytes()
                )
                return own
            return self.catalog.writer_schema(fingerprint)
        except KeyError:
            raise UnknownFingerprint(fingerprint=fingerprint.hex()) from None


def _writer_of(message_type: type[Message], schema: Mapping[str, object]) -> Writer:
    return Writer(message_type, shape_of(schema) or fastavro_shape(schema))


def fastavro_shape(schema: Mapping[str, object]) -> Shape:
    """The shape of any schema, as fastavro writes and reads it."""
    parsed = parse_schema(dict(schema))

    def put(message: Message) -> bytes:
        out = BytesIO()
        schemaless_writer(out, parsed, message.model_dump())
        return out.getvalue()

    def take(data: bytes, at: int) -> tuple[Any, int]:
        body = BytesIO(data)
        body.seek(at)
        # No reader schema is given: fastavro skips a field that its reader doesn't have without
        # looking for the end of the data, so that ten bytes could keep it busy for years.
        return schemaless_reader(body, parsed, None), body.tell()

    return Shape(put, take)
