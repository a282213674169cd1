"""A saga's snapshot: what the bus is told of how it stands."""

from sagaline.chassis.messages import SagaSnapshot, SnapshotStep, StepProgress
from sagaline.engine.state import SagaState, StepState, StepStatus
from sagaline.engine.view import verdict


def snapshot_of(saga: SagaState, *, sequence: int) -> SagaSnapshot:
    """The started saga as it stands, as the `sequence`-th snapshot of its key."""
    assert saga.started_at is not None, saga
    assert saga.updated_at is not None, saga
    refusal = saga.refusal
    return SagaSnapshot.trusted(
        {
            "saga_id": saga.saga_id,
            "key": saga.key,
            "definition": saga.definition.name,
            "definition_version": saga.definition.version,
            "sequence": sequence,
            "state": saga.status,
            "verdict": verdict(saga),
            "code": refusal.code if refusal else None,
            "detail": refusal.detail if refusal else None,
            "failed_step": refusal.step if refusal else None,
            "steps": tuple([_step(step) for step in saga.steps.values()]),
            "started_at": saga.started_at,
            "updated_at": saga.updated_at,
        }
    )


def _step(step: StepState) -> SnapshotStep:
    progress = None if step.status is StepStatus.PLANNED else _progress(step)
    plan = step.plan
    return SnapshotStep.trusted({"name": plan.name, "kind": plan.kind, "progress": progress})


def _progress(step: StepState) -> StepProgress:
    assert step.started_at is not None, step
    return StepProgress.trusted(
        {
            "status": step.status,
            "direction": step.direction,
            "attempts": step.attempt,
            "started_at": step.started_at,
            "ended_at": step.ended_at,
            "code": step.code,
            "detail": step.detail,
            "parked": step.parked,
            "stalled": step.stalled,
        }
    )
