"""What an engine counts: each saga ends once, and nothing begins at 1."""

from prometheus_client import CollectorRegistry

from sagaline.engine.machine import fold
from sagaline.engine.metrics import EngineMetrics
from sagaline.testing.stories import Story
from tests.unit.engine.shop import PLACE_ORDER
from tests.unit.engine.stories.situations import AFTER_THE_PIVOT, a_confirmed_order, an_order


def counted(*stories: Story) -> CollectorRegistry:
    """The figures of an engine to which these stories happened."""
    registry, metrics = CollectorRegistry(), EngineMetrics()
    metrics.register(registry, [PLACE_ORDER], in_memory=lambda: 0)
    for story in stories:
        saga = story.planned
        for entry in story.history:
            saga = fold(saga, entry.events)
            metrics.decided(saga, entry.events)
    return registry


def of(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"sagaline_{name}", {"definition": "place-order", **labels})


def test_a_saga_needs_attention_once_whatever_its_siblings_do_then() -> None:
    story = a_confirmed_order().refused("capture_payment", code="gone")
    registry = counted(story.succeeded("commit_stock", "send_confirmation"))
    assert of(registry, "sagas_ended_total", state="NEEDS_ATTENTION") == 1
    assert of(registry, "saga_seconds_count", state="NEEDS_ATTENTION") == 1
    assert of(registry, "sagas_ended_total", state="COMPLETED") == 0


def test_steps_are_timed_by_how_they_were_answered() -> None:
    registry = counted(
        a_confirmed_order().succeeded(*AFTER_THE_PIVOT),
        an_order().refused("create_order", code="no_such_customer"),
    )
    answers = {"succeeded": 1, "refused": 1}
    for answer, times in answers.items():
        labels = {"step": "create_order", "answer": answer}
        assert of(registry, "saga_step_seconds_count", **labels) == times
    assert of(registry, "sagas_ended_total", state="COMPLETED") == 1


def test_what_never_happened_is_zero_and_not_unknown() -> None:
    registry = counted()
    overdue = {"step": "authorize_payment", "as": "in_doubt"}
    assert of(registry, "saga_steps_overdue_total", **overdue) == 0
    assert of(registry, "sagas_ended_total", state="NEEDS_ATTENTION") == 0
    assert of(registry, "saga_inputs_ignored_total", reason="late") == 0
    assert of(registry, "saga_starts_beyond_horizon_total") == 0
