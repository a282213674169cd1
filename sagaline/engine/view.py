"""A saga as operators see it, with every step; of its snapshot on the bus see `snapshot`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sagaline.engine.state import SagaState, SagaStatus, StepState, StepStatus


class Verdict(StrEnum):
    """How the transaction ends: undecided, everything happens, or everything was undone."""

    OPEN = "open"
    COMMITTED = "committed"
    COMPENSATED = "compensated"


@dataclass(frozen=True, slots=True)
class StepView:
    """One step; PLANNED while still to come. `attempts` are of its newest command."""

    name: str
    kind: str
    status: str
    direction: str
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    code: str | None
    detail: str | None
    parked: bool
    stalled: bool


@dataclass(frozen=True, slots=True)
class SagaView:
    """One saga; `failed_step` and `code` are of the first refusal.

    `sequence` is the key's gapless count of snapshots, over all its sagas.
    """

    saga_id: UUID
    key: str
    definition: str
    definition_version: int
    sequence: int
    state: str
    verdict: str
    code: str | None
    detail: str | None
    failed_step: str | None
    steps: tuple[StepView, ...]
    started_at: datetime
    updated_at: datetime


def verdict(saga: SagaState) -> Verdict:
    """Committed from the pivot's success on; compensated as soon as nothing is left to undo."""
    if saga.committed:
        return Verdict.COMMITTED
    closing = [step.name for group in saga.definition.closing_groups for step in group]
    closes = any(saga.steps[name].status is not StepStatus.PLANNED for name in closing)
    if closes or saga.status is SagaStatus.COMPENSATED:
        return Verdict.COMPENSATED
    return Verdict.OPEN


def view(saga: SagaState, *, sequence: int) -> SagaView:
    """Show a started saga; the caller counts."""
    assert saga.started_at is not None, saga
    assert saga.updated_at is not None, saga
    refusal = saga.refusal
    return SagaView(
        saga_id=saga.saga_id,
        key=saga.key,
        definition=saga.definition.name,
        definition_version=saga.definition.version,
        sequence=sequence,
        state=saga.status.value,
        verdict=verdict(saga).value,
        code=refusal.code if refusal else None,
        detail=refusal.detail if refusal else None,
        failed_step=refusal.step if refusal else None,
        steps=tuple(_step_view(step) for step in saga.steps.values()),
        started_at=saga.started_at,
        updated_at=saga.updated_at,
    )


def _step_view(step: StepState) -> StepView:
    return StepView(
        name=step.name,
        kind=step.kind.value,
        status=step.status.value,
        direction=step.direction.value,
        attempts=step.attempt,
        started_at=step.started_at,
        ended_at=step.ended_at,
        code=step.code,
        detail=step.detail,
        parked=step.parked,
        stalled=step.stalled,
    )
