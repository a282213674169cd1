"""Figures of an engine: what its sagas were told, and where they stand."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter

from sagaline.engine.events import Event, Ignored, StepDelayed, StepInDoubt
from sagaline.engine.state import SagaState, SagaStatus

ENDS = frozenset({SagaStatus.COMPLETED, SagaStatus.COMPENSATED, SagaStatus.NEEDS_ATTENTION})


class EngineMetrics:
    """Counters that belong to no registry until the service that runs the engine has one."""

    def __init__(self) -> None:
        self._ended = Counter(
            "sagaline_sagas_ended_total",
            "Sagas that came to an end or need a person, by how.",
            ["definition", "state"],
            registry=None,
        )
        self._ignored = Counter(
            "sagaline_saga_inputs_ignored_total",
            "Inputs that changed nothing: duplicates, late and stale ones.",
            ["definition", "reason"],
            registry=None,
        )
        self._overdue = Counter(
            "sagaline_saga_steps_overdue_total",
            "Steps that got no answer in time: delayed (not read yet) or in_doubt.",
            ["definition", "step", "as"],
            registry=None,
        )

    def register(self, registry: CollectorRegistry) -> None:
        """Show these figures on the service's page."""
        for counter in (self._ended, self._ignored, self._overdue):
            registry.register(counter)

    def decided(self, state: SagaState, events: Sequence[Event]) -> None:
        """A saga was given an input, and stands so after these events."""
        name = state.definition.name
        for event in events:
            match event:
                case Ignored():
                    self._ignored.labels(name, event.reason.value).inc()
                case StepDelayed():
                    self._overdue.labels(name, event.step, "delayed").inc()
                case StepInDoubt():
                    self._overdue.labels(name, event.step, "in_doubt").inc()
        if state.status in ENDS and not isinstance(events[-1], Ignored):
            self._ended.labels(name, state.status.value).inc()
