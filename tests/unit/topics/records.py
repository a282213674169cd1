"""Records as they lie in a log, for tests without one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import schemas
from sagaline.chassis.codec import Codec
from sagaline.chassis.envelope import Envelope
from sagaline.chassis.log_records import LogRecord
from schemas.messages import AuthorizePayment

KEY = "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f"
MESSAGE_ID = UUID("7d1c8a52-1e0b-5f0a-9f4e-3a1b2c3d4e5f")
SAGA_ID = UUID("11111111-2222-5333-8444-555555555555")
WRITTEN = datetime(2026, 11, 22, 10, 30, 0, 5_000, UTC)
SENT = datetime(2026, 11, 22, 10, 30, 0, 17_000, UTC)
TOPIC = "payments.commands.v1"
PAYMENT = AuthorizePayment(
    order_id=UUID(KEY), customer_id="ada", amount_minor=4_900, currency="EUR"
)
VALUE = Codec(schemas.CATALOG).encode(PAYMENT)


def envelope(**change: Any) -> Envelope:
    parts: dict[str, Any] = {
        "id": MESSAGE_ID,
        "type": PAYMENT.avro_name,
        "source": "/saga_orchestrator",
        "subject": KEY,
        "time": WRITTEN,
        "saga_id": SAGA_ID,
        "step": "authorize_payment",
        "direction": "action",
        "generation": 1,
    }
    return Envelope(**parts | change)


def headers(**change: Any) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((name, text.encode()) for name, text in envelope(**change).headers().items())


def a_record(**change: Any) -> LogRecord:
    parts: dict[str, Any] = {
        "topic": TOPIC,
        "partition": 3,
        "offset": 120,
        "time": SENT,
        "key": KEY.encode(),
        "headers": headers(),
        "value": VALUE,
    }
    return LogRecord(**parts | change)
