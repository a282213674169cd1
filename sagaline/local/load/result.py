"""The JSON document of a load; bench/results/README.md tells what its fields are."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import sagaline
from sagaline.local.client import Json
from sagaline.local.load import origin
from sagaline.local.load.plan import Plan
from sagaline.local.load.reading import OWN, Reading
from sagaline.local.load.run import Outcome
from sagaline.local.load.window import Second, Window

Figures: TypeAlias = dict[str, object]
FORMAT = 1
STEAL_PERCENT_MAX = 5.0
KEPT = 0.98  # of the orders that were due: at least so many ended in the window


def document(outcome: Outcome, *, name: str) -> dict[str, object]:
    """Put everything that is worth keeping into a JSON document."""
    return {
        **heading(name=name),
        "seed": outcome.seed,
        "mode": outcome.plan.mode,
        "plan": _changed(outcome.plan),
        "figures": figures(outcome),
        "series": series(outcome.window),
        "problems": list(outcome.problems),
    }


def heading(*, name: str) -> dict[str, object]:
    """Say what was measured, when, where and of which revision: of any document."""
    return {
        "format": FORMAT,
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": origin.revision(Path(sagaline.__file__).parents[1]),
        "versions": origin.versions(),
        "machine": origin.machine(),
        "settings": origin.settings(os.environ),
    }


def figures(outcome: Outcome) -> Figures:
    """Give the figures of the whole window."""
    orders, window = outcome.orders, outcome.window
    count, seconds = orders.statuses.total(), window.length_s
    machine = window.end.machine - window.begin.machine
    own_s = window.end.cpu_s[OWN] - window.begin.cpu_s[OWN]
    steal = 100 * machine.steal_s / (seconds * (os.cpu_count() or 1))
    found: Figures = {
        "seconds": round(seconds, 3),
        "orders": count,
        "orders_per_s": round(count / seconds, 2),
        "statuses": dict(orders.statuses),
        "sent": orders.sent,
        "not_sent": orders.not_sent,
        "open_most": orders.open_most,
        "latency": orders.latencies.figures(),
        "sagas": {
            "ended_per_s": _sagas_per_s(window.seconds),
            "sampled": outcome.saga_ends.count,
            **outcome.saga_ends.figures(),
        },
        "cpu_ms_per_order": _each(machine.busy_s - own_s, count),
        "cpu_ms_per_order_of_load": _each(own_s, count),
        "steal_percent": round(steal, 2),
        "steal_is_high": steal > STEAL_PERCENT_MAX,
        "processes": _processes(window, count),
        "platform": _platform(window, count),
    }
    if outcome.plan.rate is not None:
        found["rate_kept"] = _rate_kept(outcome)
    if outcome.plan.reads:
        latency = outcome.reads.latencies
        found["reads"] = {
            "per_s": round(latency.count / seconds, 2),
            "not_sent": outcome.reads.not_sent,
            **latency.figures(),
        }
    return found


def series(window: Window) -> list[Figures]:
    """Give the window second by second."""
    rows: list[Figures] = []
    before = window.begin
    for second in window.seconds:
        rows.append(_row(second, before, begin_s=window.begin.at_s))
        before = second.reading
    return rows


def _row(second: Second, before: Reading, *, begin_s: float) -> Figures:
    now = second.reading
    length_s = max(now.at_s - before.at_s, 1e-3)
    stolen_s = (now.machine - before.machine).steal_s
    return {
        "at_s": round(now.at_s - begin_s, 2),
        "ended_per_s": round(second.ended / length_s, 1),
        "p50_ms": second.p50_ms,
        "p99_ms": second.p99_ms,
        "open": second.open,
        "not_sent": second.not_sent,
        "sagas_ended": now.sagas_ended,
        "steal_percent": round(100 * stolen_s / (length_s * (os.cpu_count() or 1)), 1),
        "processes": {
            name: _process_row(name, spent_s - before.cpu_s[name], length_s, now)
            for name, spent_s in now.cpu_s.items()
            if name in before.cpu_s
        },
        "services": {name: asdict(waiting) for name, waiting in now.waiting.items()},
    }


def _process_row(name: str, spent_s: float, length_s: float, now: Reading) -> Figures:
    found: Figures = {"cpu_percent": round(100 * spent_s / length_s, 1)}
    return found | ({"memory_mib": now.memory_mib[name]} if name in now.memory_mib else {})


def _processes(window: Window, orders: int) -> Figures:
    found: Figures = {}
    for name, end_s in window.end.cpu_s.items():
        if name not in window.begin.cpu_s:
            continue
        cpu_s = end_s - window.begin.cpu_s[name]
        found[name] = {
            "cpu_ms_per_order": _each(cpu_s, orders),
            "cpu_percent": round(100 * cpu_s / window.length_s, 2),
            "memory": _memory(_memory_of(window, [name])),
        }
    return found


def _platform(window: Window, orders: int) -> Figures:
    """Services, Kafka and PostgreSQL together: without the load."""
    names = [name for name in window.begin.cpu_s if name != OWN]
    begin_s, end_s = (
        sum(reading.cpu_s.get(name, 0.0) for name in names)
        for reading in (window.begin, window.end)
    )
    return {
        "cpu_ms_per_order": _each(end_s - begin_s, orders),
        "cpu_percent": round(100 * (end_s - begin_s) / window.length_s, 2),
        "memory": _memory(_memory_of(window, names)),
    }


def _memory_of(window: Window, names: Sequence[str]) -> list[int]:
    """What these took together, at each look at memory that found all of them."""
    looks = [second.reading.memory_mib for second in window.seconds]
    return [sum(look[name] for name in names) for look in looks if look.keys() >= set(names)]


def _memory(mib: Sequence[int]) -> Mapping[str, float]:
    if not mib:
        return {}
    first, last = mib[0], mib[-1]
    return {
        "first_mib": first,
        "last_mib": last,
        "min_mib": min(mib),
        "max_mib": max(mib),
        "growth_percent": round(100 * (last - first) / max(first, 1), 2),
    }


def _sagas_per_s(seconds: Iterable[Second]) -> float | None:
    """By the orchestrator's own count, between the first and the last look that heard it."""
    heard = [
        (second.reading.at_s, second.reading.sagas_ended)
        for second in seconds
        if second.reading.sagas_ended is not None
    ]
    if len(heard) < 2:
        return None
    (begin_s, before), (end_s, after) = heard[0], heard[-1]
    return round((after - before) / max(end_s - begin_s, 1e-3), 2)


def _rate_kept(outcome: Outcome) -> bool:
    due = (outcome.plan.rate or 0) * outcome.window.length_s
    return not outcome.orders.not_sent and outcome.orders.statuses.total() >= KEPT * due


def _each(seconds: float, orders: int) -> float | None:
    return round(1000 * seconds / orders, 3) if orders else None


def _changed(plan: Plan) -> Json:
    """Give what of the plan isn't as it would be by itself."""
    usual = asdict(Plan(seconds=1.0)) | {"seconds": None}
    return {name: value for name, value in asdict(plan).items() if value != usual[name]}
