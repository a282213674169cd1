"""What a customer is shown of an order and of its saga."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway_service import domain, handlers
from gateway_service.documents import OrderShown
from gateway_service.saga_document import SagaShown
from sagaline.chassis.messages import SagaSnapshot
from sagaline.chassis.saga_steps import STEPS, SnapshotStep, StepProgress

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORDER_ID = UUID("0192f0c1-7d3a-7c41-8a5e-3f6b2d9c1e04")
STEP = SnapshotStep(
    name="reserve_stock",
    kind="compensatable",
    progress=StepProgress(
        status="FAILED",
        direction="action",
        attempts=1,
        started_at=NOON,
        ended_at=NOON,
        code="out_of_stock",
        detail="0 are free.",
    ),
)
SNAPSHOT = SagaSnapshot(
    saga_id=UUID(int=7),
    key=str(ORDER_ID),
    definition="place-order",
    definition_version=1,
    sequence=3,
    state="COMPENSATING",
    verdict="open",
    code="out_of_stock",
    detail="0 are free.",
    failed_step="reserve_stock",
    steps=STEPS.dump_json((STEP,)).decode(),
    started_at=NOON,
    updated_at=NOON,
)
PLACED = domain.PlacedOrder(
    ORDER_ID, domain.Order("c-1", "EUR", (domain.Line("LAMP", 1),)), NOON, None
)


def placed(**changes: object) -> domain.PlacedOrder:
    return replace(PLACED, view=handlers.view(SNAPSHOT.model_copy(update=changes), NOON))


@pytest.mark.parametrize(
    "verdict, status",
    [
        ("open", "PENDING"),
        ("committed", "CONFIRMED"),
        ("compensated", "REJECTED"),
        ("of a later release", "PENDING"),
    ],
)
def test_an_order_stands_as_its_sagas_verdict_says(verdict: str, status: str) -> None:
    assert OrderShown.of(placed(verdict=verdict)).status == status


def test_an_accepted_order_is_pending_before_its_saga_was_heard_of() -> None:
    shown = OrderShown.of(PLACED)
    assert (shown.status, shown.saga, shown.reason, shown.ended_at) == ("PENDING", None, None, None)


def test_the_saga_of_an_accepted_order_is_requested_before_it_was_heard_of() -> None:
    shown = SagaShown.of(PLACED)
    assert (shown.state, shown.sequence, shown.steps) == ("REQUESTED", 0, [])
    assert shown.saga_id is None


@pytest.mark.parametrize("verdict", ["open", "compensated"])
def test_the_reason_is_the_first_refusal_from_when_it_is_known(verdict: str) -> None:
    reason = OrderShown.of(placed(verdict=verdict)).reason
    assert reason is not None
    assert (reason.step, reason.code) == ("reserve_stock", "out_of_stock")


def test_a_confirmed_order_has_no_reason_whatever_was_refused_after_the_pivot() -> None:
    assert OrderShown.of(placed(verdict="committed", code="refused")).reason is None


def test_an_order_ends_when_its_outcome_is_shown_not_when_its_saga_decided() -> None:
    later = NOON + timedelta(seconds=2)
    decided = SNAPSHOT.model_copy(update={"verdict": "committed"})
    assert handlers.view(decided, later).ended_at == later
    assert handlers.view(SNAPSHOT, later).ended_at is None


def test_a_step_is_shown_with_all_that_its_snapshot_says() -> None:
    (shown,) = SagaShown.of(placed()).steps
    said = STEP.model_dump()
    progress = said.pop("progress")
    assert shown.model_dump() == said | progress


def test_a_step_to_come_is_shown_as_planned() -> None:
    (shown,) = SagaShown.of(placed(steps='[{"name":"confirm_order","kind":"pivot"}]')).steps
    assert (shown.name, shown.status, shown.started_at) == ("confirm_order", "PLANNED", None)


def test_of_an_orders_snapshots_the_one_with_the_highest_sequence_counts() -> None:
    other = SNAPSHOT.model_copy(update={"key": str(UUID(int=9)), "sequence": 1})
    by_sequence = [SNAPSHOT.model_copy(update={"sequence": n}) for n in (2, 5, 4, 5)]
    newest = domain.newest([by_sequence[0], other, *by_sequence[1:]])
    assert {each.key: each.sequence for each in newest} == {str(ORDER_ID): 5, other.key: 1}
