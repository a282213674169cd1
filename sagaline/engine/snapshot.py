"""A saga's snapshot: what the bus is told of how it stands."""

import json
from functools import cache
from typing import Final

from sagaline.chassis.instant import text_of
from sagaline.chassis.messages import SagaSnapshot
from sagaline.engine.definition import Kind
from sagaline.engine.state import SagaState, StepState, StepStatus
from sagaline.engine.view import verdict

ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


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
            "steps": steps_of(saga),
            "started_at": saga.started_at,
            "updated_at": saga.updated_at,
        }
    )


def steps_of(saga: SagaState) -> str:
    """Every step as JSON; `saga_steps` reads it."""
    return f"[{','.join([_step(step) for step in saga.steps.values()])}]"


def _step(step: StepState) -> str:
    begin = _begin(step.plan.name, step.plan.kind)
    if step.status is StepStatus.PLANNED:
        return f"{begin}}}"
    return f'{begin},"progress":{{{_progress(step)}}}}}'


@cache  # there are as many as steps in definitions
def _begin(name: str, kind: Kind) -> str:
    return ENCODE({"name": name, "kind": kind})[:-1]


def _progress(step: StepState) -> str:
    assert step.started_at is not None, step
    # Written by hand, since nothing in here needs escaping: an encoder takes three times as long.
    usual = (
        f'"status":"{step.status}","direction":"{step.direction}","attempts":{step.attempt},'
        f'"started_at":"{text_of(step.started_at)}"'
    )
    if step.ended_at is not None:
        usual += f',"ended_at":"{text_of(step.ended_at)}"'
    return usual + _unusual(step)


def _unusual(step: StepState) -> str:
    found: dict[str, object] = {}
    if step.code is not None:
        found |= {"code": step.code, "detail": step.detail}
    if step.parked:
        found["parked"] = True
    if step.stalled:
        found["stalled"] = True
    return f",{ENCODE(found)[1:-1]}" if found else ""
