"""A record as text: a line for pipes, a block for a terminal, a JSON document for programs.

Whatever stands in a record, the text has no control characters: a terminal shows it and obeys none.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from sagaline.local.topics.decoding import BLANK, Decoded

HEX_BYTES_MAX: Final = 64
SHORT: Final = {  # the envelope in the order in which people ask; what is not here keeps its name
    "ce_id": "id",
    "ce_source": "source",
    "ce_time": "time",
    "ce_sagaid": "saga",
    "ce_sagastep": "step",
    "ce_sagadirection": "direction",
    "ce_sagageneration": "generation",
    "ce_sagaaction": "action",
    "ce_sagaoutcome": "outcome",
    "ce_causationid": "cause",
    "traceparent": "trace",
}
# The same on every record of ours; one that says otherwise shows it.
USUAL: Final = {"ce_specversion": "1.0", "content-type": "application/avro"}


def line(decoded: Decoded) -> str:
    """Give the record in one line: coordinates, Kafka's time, key, type, headers, payload."""
    record = decoded.record
    parts = [f"{record.partition}:{record.offset}", _time(record.time), f"key={_key(decoded)}"]
    parts += [f"type={printable(decoded.type or '-')}"]
    parts += [f"{name}={value}" for name, value in headers(decoded)]
    return " ".join([*parts, _said(decoded, indent=None)])


def block(decoded: Decoded) -> list[tuple[str, str]]:
    """Give the record as lines for a terminal: (name, text), in the order to be shown."""
    record = decoded.record
    lines = [
        ("", f"{record.topic}/{record.partition} @ {record.offset}   {_time(record.time)}"),
        ("type", printable(decoded.type or "-")),
        ("key", _key(decoded)),
        *headers(decoded),
    ]
    return [*lines, ("payload", _said(decoded, indent=2))]


def document(decoded: Decoded) -> Mapping[str, object]:
    """Give the record for programs: every header under its own name, a payload or an error."""
    record = decoded.record
    shown: dict[str, object] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": None if record.time is None else _time(record.time),
        "key": None if record.key is None else _text(record.key),
        "type": decoded.type,
        "headers": _by_name(decoded),
    }
    if decoded.problem is None:
        return {**shown, "payload": decoded.payload}
    value = (
        {} if record.value is None else {"value_bytes": len(record.value), "hex": hexed(decoded)}
    )
    return {**shown, "error": decoded.problem, **value}


def headers(decoded: Decoded) -> Iterator[tuple[str, str]]:
    """Give what the headers add: short names, without what is shown anyway or always the same."""
    record = decoded.record
    # A subject that is not the key is worth a look: such a record is parked.
    known = USUAL | {
        "ce_type": decoded.type,
        "ce_subject": None if record.key is None else _text(record.key),
    }
    found = [(name, "null" if value is None else _text(value)) for name, value in record.headers]
    order = {name: number for number, name in enumerate(SHORT)}
    for name, text in sorted(found, key=lambda pair: order.get(pair[0], len(order))):
        if known.get(name) != text:
            yield printable(SHORT.get(name, name)), printable(text)


def hexed(decoded: Decoded) -> str:
    """Give the value's first bytes, two digits each."""
    value = decoded.record.value or b""
    if decoded.redacted:
        return BLANK
    more = "" if len(value) <= HEX_BYTES_MAX else "..."
    return value[:HEX_BYTES_MAX].hex() + more


def printable(text: str) -> str:
    """Give `text` with an escape for each character that is not to be seen."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def compact(document: Mapping[str, object]) -> str:
    """Give JSON in one line, without control characters."""
    return printable(json.dumps(document, ensure_ascii=False, default=str))


def _said(decoded: Decoded, *, indent: int | None) -> str:
    if decoded.problem is not None:
        size = len(decoded.record.value or b"")
        shown = f" {size} bytes: {hexed(decoded)}" if decoded.record.value is not None else ""
        return f"UNDECODABLE {printable(decoded.problem)}{shown}"
    text = json.dumps(decoded.payload, ensure_ascii=False, indent=indent)
    return "\n".join(printable(each) for each in text.split("\n"))


def _by_name(decoded: Decoded) -> Mapping[str, object]:
    """By name; one that stands there more than once has a list."""
    found: dict[str, list[str | None]] = {}
    for name, value in decoded.record.headers:
        found.setdefault(name, []).append(None if value is None else _text(value))
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in found.items()}


def _key(decoded: Decoded) -> str:
    key = decoded.record.key
    return "-" if key is None else printable(_text(key))


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")


def _time(time: datetime | None) -> str:
    if time is None:
        return "-"
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
