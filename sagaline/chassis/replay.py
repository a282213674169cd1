"""A record written once more: its own id, time, key and bytes, and where it stood before.

See docs/architecture.md, "Replay". What comes of it is for the readers' barriers and positions.
"""

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from sagaline.chassis.envelope import Encoded, Envelope
from sagaline.chassis.errors import MalformedEnvelope
from sagaline.chassis.instant import text_of
from sagaline.chassis.log_records import LogRecord

# Extensions of the CloudEvent, beside the original ones. A copy of a copy tells of the last place.
REPLAY: Final = "ce_replayid"
ORIGIN: Final = ("ce_origintopic", "ce_originpartition", "ce_originoffset", "ce_origintime")


def marks(record: LogRecord, replay_id: UUID) -> dict[str, str]:
    """Headers of a copy: which replay made it, where the record stood and since when."""
    time = "" if record.time is None else text_of(record.time)
    places = (record.topic, str(record.partition), str(record.offset), time)
    return {REPLAY: str(replay_id), **dict(zip(ORIGIN, places, strict=True))}


def unmarked(
    headers: Iterable[tuple[str, bytes | None]],
) -> list[tuple[str, bytes | None]]:
    """The headers without those of an earlier replay."""
    return [(name, value) for name, value in headers if name not in (REPLAY, *ORIGIN)]


def matches(record: LogRecord, *, keys: Collection[str] = (), types: Collection[str] = ()) -> bool:
    """Whether a record has one of the keys, and one of the types; none of either: any will do."""
    if keys and (record.key is None or record.key.decode(errors="replace") not in keys):
        return False
    return not types or type_of(record) in types


def type_of(record: LogRecord) -> str | None:
    """The full name that the headers say; None when they say none."""
    value = next((value for name, value in record.headers if name == "ce_type"), None)
    return None if value is None else value.decode(errors="replace")


def again(
    record: LogRecord, *, replay_id: UUID, types: Collection[str], bytes_max: int
) -> Encoded | None:
    """The record for its owner's outbox; None if the owner could not have written it.

    That is one without envelope or value, of another type than `types`, under another key than it
    says, or larger than `bytes_max`: what a reader would park anyway.
    """
    try:
        envelope = Envelope.parse(record.headers)
        headers = {n: (v or b"").decode() for n, v in unmarked(record.headers)}
        key = (record.key or b"").decode()
    except (MalformedEnvelope, UnicodeDecodeError):
        return None
    if record.value is None or len(record.value) > bytes_max:
        return None
    if envelope.type not in types or key != envelope.subject or "\0" in "".join(headers.values()):
        return None
    marked = headers | marks(record, replay_id)
    return Encoded(record.topic, key, envelope.type, envelope.id, marked, record.value)
