"""Examples of the documents that every service gives its operators, for the OpenAPI document."""

from typing import Final, TypeAlias

from pydantic import JsonValue

Example: TypeAlias = dict[str, JsonValue]

AN_ORDER_ID: Final = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"

ALIVE: Final[Example] = {"status": "alive"}
READY: Final[Example] = {
    "status": "ready",
    "checks": {"start": "ok", "database": "ok", "relay": "ok", "consumer": "ok"},
}

A_DEAD_LETTER: Final[Example] = {
    "id": 7,
    "topic": "inventory.commands.v1",
    "partition": 3,
    "offset": 4_711,
    "key": AN_ORDER_ID,
    "type": "inventory.commands.ReserveStock",
    "error_class": "ZeroDivisionError",
    "error": "ZeroDivisionError: division by zero",
    "parked_at": "2026-11-22T12:00:00.050000Z",
    "redrives": 0,
    "redriven_at": None,
}
DEAD_LETTERS: Final[Example] = {"dead_letters": [A_DEAD_LETTER], "next": None}
A_DEAD_LETTER_SHOWN: Final[Example] = {
    **A_DEAD_LETTER,
    "headers": {"ce_type": "inventory.commands.ReserveStock", "ce_subject": AN_ORDER_ID},
    "payload": {
        "bytes": 61,
        "fields": {
            "order_id": AN_ORDER_ID,
            "currency": "EUR",
            "lines": [{"sku": "LAMP-1", "quantity": 1}],
        },
        "hex": None,
        "reason": None,
    },
    "behind_count": 0,
    "behind": [],
}
ALL_DEALT: Final[Example] = {
    "keys": [
        {
            "topic": "inventory.commands.v1",
            "partition": 3,
            "key": AN_ORDER_ID,
            "done": 1,
            "left": 0,
            "stopped_at": None,
            "error_class": None,
            "error": None,
        }
    ],
    "next": None,
}
A_REASON: Final[Example] = {"who": "ada", "reason": "0.2.1 mends the division"}
A_REDRIVE: Final[Example] = {"id": 7, "who": "ada", "reason": "0.2.1 mends the division"}
A_DISCARD: Final[Example] = {"id": 7, "who": "ada", "reason": "the order was entered by mistake"}

A_LINE: Final[Example] = {
    "id": 7,
    "topic": "inventory.replies.v1",
    "key": AN_ORDER_ID,
    "type": "inventory.replies.StockReserved",
    "message_id": "3374f5b9-01b7-582f-8216-98c6b810b0ef",
    "created_at": "2026-11-22T12:00:00.050000Z",
    "quarantined_at": None,
    "error": None,
}
OUTBOX: Final[Example] = {"rows": [A_LINE], "next": None}
AN_OUTBOX_ROW: Final[Example] = {
    **A_LINE,
    "headers": {"ce_type": "inventory.replies.StockReserved", "ce_subject": AN_ORDER_ID},
    "payload": {"bytes": 96, "fields": {"order_id": AN_ORDER_ID, "total_minor": 4_990}},
}

A_NEW_REPLAY: Final[Example] = {
    "topic": "inventory.commands.v1",
    "ranges": [{"partition": 3, "first": 4_000, "until": 4_712}],
    "keys": [AN_ORDER_ID],
    "per_s": 300,
    "reason": "inventory's database was restored from the night's copy",
}
A_REPLAY: Final[Example] = {
    "id": "2b1f7c1e-5a0d-4c7e-9d55-0a6c3e1f9b12",
    "topic": "inventory.commands.v1",
    "state": "running",
    "reason": "inventory's database was restored from the night's copy",
    "keys": [AN_ORDER_ID],
    "types": [],
    "per_s": 300,
    "partitions": [{"partition": 3, "first": 4_000, "next": 4_310, "until": 4_712}],
    "sent": 2,
    "passed": 308,
    "skipped": 0,
    "problem": None,
    "created_at": "2026-11-22T12:00:00.000000Z",
    "ended_at": None,
}
