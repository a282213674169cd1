"""What effects need of the outside, made from a service's settings and handlers."""

import time
from collections.abc import Mapping
from functools import partial

from sagaline.chassis.breaker import Breaker
from sagaline.chassis.calls import Calls
from sagaline.chassis.commands import Commands
from sagaline.chassis.effect_metrics import EffectMetrics
from sagaline.chassis.effects import Effect, Port
from sagaline.chassis.handlers import EffectTable
from sagaline.chassis.outside import Outside
from sagaline.chassis.running import Running


def outside_of(
    running: Running, commands: Mapping[str, Commands], tables: Mapping[str, EffectTable]
) -> Outside | None:
    """What the inbox gets results of calls from; None where no handler calls anything."""
    ports = _ports(tables)
    if not ports:
        return None
    breakers = {name: Breaker(port, clock_s=time.monotonic) for name, port in ports.items()}
    for name, breaker in breakers.items():
        running.health.watch(name, partial(_problem_of, breaker))
    calls = Calls(
        breakers,
        attempts_max=running.settings.attempts_max,
        clock_s=time.monotonic,
        tally=EffectMetrics(running.metrics, breakers),
        spans=running.spans,
    )
    return Outside(
        running.database,
        commands,
        calls,
        calls_max=min(port.calls_max for port in ports.values()),
        attempts_max=running.settings.attempts_max,
        clock_s=time.monotonic,
        spans=running.spans,
    )


def _ports(tables: Mapping[str, EffectTable]) -> dict[str, Port]:
    """What these handlers call, by name."""
    handlers = (handler for table in tables.values() for handler in table.values())
    ports: dict[str, Port] = {}
    for handler in handlers:
        if isinstance(handler, Effect):
            port = handler.port
            assert ports.setdefault(port.name, port) == port, f"two ports are called {port.name}"
    return ports


async def _problem_of(breaker: Breaker) -> str | None:
    return breaker.problem
