"""The JSON document of an order's saga."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gateway_service import domain
from gateway_service.documents import AN_ORDER_ID
from sagaline.chassis.saga_steps import STEPS, SnapshotStep

A_SAGA: Final[dict[str, JsonValue]] = {
    "saga_id": "6f4a0a55-5c0b-5b5e-9b0e-3d8f3f2b7a10",
    "order_id": AN_ORDER_ID,
    "definition": "place-order",
    "version": 1,
    "state": "RUNNING",
    "sequence": 2,
    "started_at": "2026-11-22T12:00:00.012000Z",
    "updated_at": "2026-11-22T12:00:00.034000Z",
    "steps": [
        {
            "name": "create_order",
            "kind": "compensatable",
            "status": "SUCCEEDED",
            "direction": "action",
            "attempts": 1,
            "started_at": "2026-11-22T12:00:00.012000Z",
            "ended_at": "2026-11-22T12:00:00.034000Z",
            "code": None,
            "detail": None,
            "stalled": False,
            "parked": False,
        },
        {
            "name": "reserve_stock",
            "kind": "compensatable",
            "status": "WAITING",
            "direction": "action",
            "attempts": 1,
            "started_at": "2026-11-22T12:00:00.012000Z",
            "ended_at": None,
            "code": None,
            "detail": None,
            "stalled": False,
            "parked": False,
        },
    ],
}
# What is shown of a step that is still to come.
PLANNED: Final[Mapping[str, object]] = MappingProxyType(
    {
        "status": "PLANNED",
        "direction": "action",
        "attempts": 0,
        "started_at": None,
        "ended_at": None,
        "code": None,
        "detail": None,
        "stalled": False,
        "parked": False,
    }
)


class StepShown(BaseModel):
    """One step; PLANNED is the status of one that is still to come."""

    name: str
    kind: str
    status: str
    direction: str
    attempts: int = Field(description="How often its current command was sent.")
    started_at: datetime | None
    ended_at: datetime | None
    code: str | None = Field(description="Of the refusal, if there was one.")
    detail: str | None
    stalled: bool = Field(description="It takes longer than it should and goes on being tried.")
    parked: bool = Field(description="It was set aside; an operator has to look.")

    @classmethod
    def of(cls, step: SnapshotStep) -> "StepShown":
        """The step as it is shown."""
        progress = PLANNED if step.progress is None else dict(step.progress)
        return cls.model_validate({"name": step.name, "kind": step.kind, **progress})


class SagaShown(BaseModel):
    """An order's saga, step by step.

    While the order waits for its saga to begin the state is REQUESTED, the sequence 0, and what is
    not known yet is null.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [A_SAGA]})

    saga_id: UUID | None
    order_id: UUID
    definition: str | None
    version: int | None
    state: str
    sequence: int = Field(description="Grows with each change that is told.")
    started_at: datetime | None
    updated_at: datetime | None
    steps: list[StepShown]

    @classmethod
    def of(cls, placed: domain.PlacedOrder) -> "SagaShown":
        """The saga as it is shown."""
        view = placed.view
        if view is None:
            return cls(
                saga_id=None,
                order_id=placed.order_id,
                definition=None,
                version=None,
                state="REQUESTED",
                sequence=0,
                started_at=None,
                updated_at=None,
                steps=[],
            )
        return cls(
            saga_id=view.saga_id,
            order_id=placed.order_id,
            definition=view.definition,
            version=view.version,
            state=view.state,
            sequence=view.sequence,
            started_at=view.started_at,
            updated_at=view.updated_at,
            steps=[*map(StepShown.of, STEPS.validate_json(view.steps))],
        )
