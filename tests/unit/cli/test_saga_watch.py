"""`sagactl saga watch`: a line for each thing that changed."""

from collections.abc import Mapping

from sagaline.cli.saga_watch import lines
from sagaline.local.views import Saga

PLANNED = {"name": "reserve_stock", "kind": "compensatable", "status": "PLANNED"}
WAITING = {**PLANNED, "status": "WAITING", "attempts": 1}
AGAIN = {**WAITING, "attempts": 2, "stalled": True}
REFUSED = {
    **AGAIN,
    "status": "FAILED",
    "stalled": False,
    "code": "out_of_stock",
    "detail": "None left.",
    "ended_at": "2026-11-22T10:30:00.250Z",
}


def saga(state: str, step: Mapping[str, object], *, sequence: int) -> Saga:
    return Saga.model_validate(
        {
            "saga_id": "5b0f6a1c-9f0e-4f0b-8a51-0d6f8f3f8a11",
            "order_id": "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f",
            "definition": "place-order",
            "version": 1,
            "state": state,
            "sequence": sequence,
            "updated_at": f"2026-11-22T10:30:{sequence:02d}Z",
            "steps": [step],
        }
    )


def test_each_change_has_a_line_and_what_stays_has_none() -> None:
    stages = [
        saga("RUNNING", PLANNED, sequence=1),
        saga("RUNNING", WAITING, sequence=2),
        saga("RUNNING", AGAIN, sequence=3),
        saga("COMPENSATING", REFUSED, sequence=4),
        saga("COMPENSATED", REFUSED, sequence=5),
    ]
    shown = [
        line.plain
        for before, now in zip([None, *stages], stages, strict=False)
        for line in lines(before, now)
    ]
    assert shown == [
        "10:30:01.000  saga                RUNNING",
        "10:30:02.000  reserve_stock       WAITING",
        "10:30:03.000  reserve_stock       WAITING, try 2, stalled",
        "10:30:00.250  reserve_stock       FAILED, try 2, out_of_stock: None left.",
        "10:30:04.000  saga                COMPENSATING",
        "10:30:05.000  saga                COMPENSATED",
    ]
