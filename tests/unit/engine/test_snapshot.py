"""What the bus is told of a saga."""

from dataclasses import asdict

import schemas
from sagaline.chassis.codec import Codec
from sagaline.chassis.messages import SagaSnapshot
from sagaline.chassis.saga_steps import STEPS
from sagaline.engine.snapshot import snapshot_of
from sagaline.testing.stories import Story, given
from tests.unit.engine.shop import AN_ORDER, PLACE_ORDER, TRIP


def told(saga: Story) -> SagaSnapshot:
    return snapshot_of(saga.saga, sequence=3)


def test_steps_to_come_are_in_it_by_name_and_kind_alone() -> None:
    steps = STEPS.validate_json(told(given(PLACE_ORDER, AN_ORDER).succeeded("create_order")).steps)
    assert [step.name for step in steps] == list(PLACE_ORDER.by_name)
    assert [step.kind for step in steps] == [s.kind for s in PLACE_ORDER.by_name.values()]
    statuses = [step.progress.status if step.progress else None for step in steps]
    assert statuses == ["SUCCEEDED", "WAITING", *[None] * (len(steps) - 2)]


def test_it_says_of_the_saga_and_its_begun_steps_what_operators_see() -> None:
    saga = given(TRIP, AN_ORDER).succeeded("create_order")
    saga.refused("reserve_stock", code="out_of_stock", detail="None left.")
    said, seen = told(saga).model_dump(), asdict(saga.view)
    steps = zip(STEPS.validate_json(said.pop("steps")), seen.pop("steps"), strict=True)
    assert said == seen | {"sequence": 3}
    for each, shown in steps:
        step = each.model_dump()
        progress = step.pop("progress")
        assert progress is None or shown == step | progress
        assert (progress is None) == (shown["status"] == "PLANNED")


def test_it_is_as_valid_as_if_it_had_been_checked() -> None:
    saga = given(TRIP, AN_ORDER).succeeded("create_order")
    saga.refused("reserve_stock", code="out_of_stock", detail="None left.")
    said, codec = told(saga), Codec(schemas.CATALOG)
    assert SagaSnapshot.model_validate(said.model_dump()) == said
    assert codec.decode(codec.encode(said)) == said
