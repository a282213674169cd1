"""Figures of an engine: what its sagas were told, and where they stand."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sagaline.chassis.metrics import BUCKETS_S
from sagaline.engine.definition import Saga
from sagaline.engine.events import (
    AttentionNeeded,
    Event,
    Ignored,
    Reason,
    SagaCompensated,
    SagaCompleted,
    StepDelayed,
    StepFailed,
    StepInDoubt,
    StepSucceeded,
)
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

        self._steps = Histogram(
            "sagaline_saga_step_seconds",
            "Time from a step's first command to the answer that its action had, by the answer.",
            ["definition", "step", "answer"],
            buckets=BUCKETS_S,
            registry=None,
        )
        self._seconds = Histogram(
            "sagaline_saga_seconds",
            "Time from a saga's start to its end, or until it needs a person, by how.",
            ["definition", "state"],
            buckets=BUCKETS_S,
            registry=None,
        )
        self._forgotten = Counter(
            "sagaline_saga_starts_beyond_horizon_total",
            "Messages that start a saga, from before the horizon: nothing was started.",
            ["definition"],
            registry=None,
        )
        self._skipped = Counter(
            "sagaline_saga_timers_skipped_total",
            "Timers that were put off, as their sagas' definition is not deployed.",
            ["definition", "version"],
            registry=None,
        )
        self._loaded = Counter(
            "sagaline_sagas_loaded_total",
            "Sagas that were loaded, by where their states came from: memory or row.",
            ["from"],
            registry=None,
        )
        self._remembered = Gauge(
            "sagaline_sagas_in_memory",
            "Sagas that are kept in memory; the limit is a setting.",
            registry=None,
        )

    def register(
        self, registry: CollectorRegistry, sagas: Iterable[Saga], *, in_memory: Callable[[], int]
    ) -> None:
        """Show these figures on the service's page, with how many sagas are in memory."""
        self._remembered.set_function(in_memory)
        for saga in sagas:
            self._begin_at_zero(saga)
        for figure in (
            self._ended,
            self._ignored,
            self._overdue,
            self._steps,
            self._seconds,
            self._forgotten,
            self._skipped,
            self._loaded,
            self._remembered,
        ):
            registry.register(figure)

    def _begin_at_zero(self, saga: Saga) -> None:
        """A series that begins at 1 has not increased: an alert would miss the first time."""
        for state in sorted(ENDS):
            self._ended.labels(saga.name, state.value)
        for reason in Reason:
            self._ignored.labels(saga.name, reason.value)
        for step in saga.by_name:
            for how in ("delayed", "in_doubt"):
                self._overdue.labels(saga.name, step, how)
        self._forgotten.labels(saga.name)

    def loaded(self, *, remembered: int, read: int) -> None:
        """So many sagas were loaded, from memory and from their rows."""
        self._loaded.labels("memory").inc(remembered)
        self._loaded.labels("row").inc(read)

    def forgotten(self, definition: str) -> None:
        """What would start a saga came too late: whether it was here before is not known."""
        self._forgotten.labels(definition).inc()

    def skipped(self, definition: str, version: int) -> None:
        """A timer fired for a saga whose definition is not here, and was put off."""
        self._skipped.labels(definition, str(version)).inc()

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
                case StepSucceeded() | StepFailed():
                    self._answered(state, event)
                case SagaCompleted() | SagaCompensated() | AttentionNeeded():
                    self._end(state, event.at)

    def _end(self, state: SagaState, at: datetime) -> None:
        assert state.started_at is not None, state
        labels = (state.definition.name, state.status.value)
        self._ended.labels(*labels).inc()
        self._seconds.labels(*labels).observe((at - state.started_at).total_seconds())

    def _answered(self, state: SagaState, event: StepSucceeded | StepFailed) -> None:
        began = state.steps[event.step].started_at
        if began is not None:
            answer = "succeeded" if isinstance(event, StepSucceeded) else "refused"
            labels = (state.definition.name, event.step, answer)
            self._steps.labels(*labels).observe((event.at - began).total_seconds())
