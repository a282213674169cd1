"""Messages for people's eyes: a payload in plain fields, or as bytes with the reason."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from sagaline.chassis.codec import Codec
from sagaline.chassis.errors import PlatformError

HEX_BYTES_MAX = 4_096


class Payload(BaseModel):
    """What a record says: `fields`; or, where nobody can read it, its first bytes, and `reason`."""

    bytes: int
    fields: Mapping[str, object] | None = None
    hex: str | None = None
    reason: str | None = None


def payload(codec: Codec, value: bytes | None) -> Payload:
    """The value as it can be shown; a tombstone has neither fields nor bytes."""
    if value is None:
        return Payload(bytes=0, reason="there is no value")
    try:
        fields = to_jsonable_python(codec.decode(value).model_dump(), bytes_mode="hex")
    except PlatformError as error:
        return Payload(bytes=len(value), hex=value[:HEX_BYTES_MAX].hex(), reason=str(error))
    return Payload(bytes=len(value), fields=fields)


def header_texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Headers as text; bytes that are none are escaped."""
    return {name: (value or b"").decode(errors="backslashreplace") for name, value in headers}
