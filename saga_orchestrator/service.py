"""The orchestrator, put together."""

from datetime import timedelta

import schemas
from saga_orchestrator.sagas.place_order import PLACE_ORDER
from saga_orchestrator.settings import OrchestratorSettings
from sagaline.chassis.service import Service
from sagaline.engine import api, tables
from sagaline.engine.assembly import SagaEngine, TimerLimits
from sagaline.engine.definition import LimitChanges, Saga


def service(settings: OrchestratorSettings | None = None) -> Service:
    """Wire the orchestrator. Opens nothing: connections live from `run()` to its end."""
    settings = settings or OrchestratorSettings()
    engine = SagaEngine(
        (limited(PLACE_ORDER, settings),),
        catalog=schemas.CATALOG,
        limits=TimerLimits(
            tick_ms=settings.timer_tick_ms,
            batch_keys_max=settings.timer_batch_keys_max,
            kafka_timeout_ms=settings.timer_kafka_timeout_ms,
        ),
        memory_sagas_max=settings.memory_sagas_max,
        horizon=timedelta(milliseconds=settings.retention_horizon_ms),
    )
    return Service(
        settings=settings,
        catalog=schemas.CATALOG,
        metadata=tables.METADATA,
        consumes=engine.consumes,
        operators=api.router,
        parts=(engine.timers,),
    )


def limited(saga: Saga, settings: OrchestratorSettings) -> Saga:
    """The saga with the limits that are set for all steps, if any are."""
    changes = LimitChanges()
    if settings.step_timeout_ms is not None:
        changes["timeout_ms"] = settings.step_timeout_ms
    if settings.step_resends_max is not None:
        changes["resends_max"] = settings.step_resends_max
    if settings.step_backoff_ms is not None:
        changes["backoff_min_ms"] = changes["backoff_max_ms"] = settings.step_backoff_ms
    return saga.with_timeouts(**changes) if changes else saga
