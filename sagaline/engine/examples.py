"""Examples of what operators see of sagas, for the OpenAPI document."""

from typing import Final

from pydantic import JsonValue

ORDER_ID: Final = "0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04"
SAGA_ID: Final = "6f4a0a55-5c0b-5b5e-9b0e-3d8f3f2b7a10"
BEGAN: Final = "2026-11-22T12:00:00.012000Z"
CHANGED: Final = "2026-11-22T12:00:00.034000Z"

A_PAGE: Final[dict[str, JsonValue]] = {
    "sagas": [
        {
            "saga_id": SAGA_ID,
            "key": ORDER_ID,
            "definition": "place-order",
            "state": "RUNNING",
            "code": None,
            "failed_step": None,
            "stalled": ["reserve_stock"],
            "parked": [],
            "started_at": BEGAN,
            "updated_at": CHANGED,
        }
    ],
    "next": None,
}
A_SAGA: Final[dict[str, JsonValue]] = {
    "saga_id": SAGA_ID,
    "key": ORDER_ID,
    "definition": "place-order",
    "definition_version": 1,
    "sequence": 2,
    "state": "RUNNING",
    "verdict": "open",
    "code": None,
    "detail": None,
    "failed_step": None,
    "steps": [
        {
            "name": "reserve_stock",
            "kind": "compensatable",
            "status": "WAITING",
            "direction": "action",
            "attempts": 6,
            "started_at": BEGAN,
            "ended_at": None,
            "code": None,
            "detail": None,
            "parked": False,
            "stalled": True,
        }
    ],
    "started_at": BEGAN,
    "updated_at": CHANGED,
}
A_HISTORY: Final[dict[str, JsonValue]] = {
    "saga_id": SAGA_ID,
    "entries": [
        {
            "version": 4,
            "at": CHANGED,
            "received": {"type": "Succeeded", "step": "create_order"},
            "events": [
                {
                    "type": "StepSucceeded",
                    "step": "create_order",
                    "answer": "action/1/succeeded",
                }
            ],
            "message_id": "3374f5b9-01b7-582f-8216-98c6b810b0ef",
            "topic": "orders.replies.v1",
            "partition": 3,
            "offset": 4_711,
        }
    ],
}
