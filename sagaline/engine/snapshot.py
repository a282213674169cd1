"""A saga's snapshot: what the bus is told of how it stands."""

from sagaline.chassis.messages import SagaSnapshot, SnapshotStep, StepProgress
from sagaline.engine.state import SagaState, StepState, StepStatus
from sagaline.engine.view import verdict


def snapshot_of(saga: SagaState, *, sequence: int) -> SagaSnapshot:
    """The started saga as it stands, as the `sequence`-th snapshot of its key."""
    assert saga.started_at is not None, saga
    assert saga.updated_at is not None, saga
    refusal = saga.refusal
    return SagaSnapshot(
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
        steps=tuple([_step(step) for step in saga.steps.values()]),
        started_at=saga.started_at,
        updated_at=saga.updated_at,
    )


def _step(step: StepState) -> SnapshotStep:
    planned = step.status is StepStatus.PLANNED
    progress = None if planned else _progress(step)
    return SnapshotStep(name=step.plan.name, kind=step.plan.kind, progress=progress)


def _progress(step: StepState) -> StepProgress:
    assert step.started_at is not None, step
    return StepProgress(
        status=step.status,
        direction=step.direction,
        attempts=step.attempt,
        started_at=step.started_at,
        ended_at=step.ended_at,
        code=step.code,
        detail=step.detail,
        parked=step.parked,
        stalled=step.stalled,
    )
