"""How a platform does at a moment: orders, sagas, what waits where, and what processes take."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from sagaline.local import figures, process_usage, readiness
from sagaline.local.client import GATEWAY, ORCHESTRATOR, Client, Unreachable
from sagaline.local.figures import Figures
from sagaline.local.process_usage import Usage
from sagaline.local.run_file import RunFile

PARKED_SHOWN_MAX = 200  # one page of an operators' list


@dataclass(frozen=True, slots=True)
class ServiceVitals:
    """One service: what it lacks (None: it is ready), and what waits in it."""

    missing: str | None
    lag_records: int
    outbox_rows: int
    outbox_oldest_s: float
    quarantined: int
    parked: int  # PARKED_SHOWN_MAX stands for any number above, too


@dataclass(frozen=True, slots=True)
class Vitals:
    """Everything at one moment. What counts up does so from the start of its service.

    A service that doesn't answer is absent; so is a process that has ended. `usage` is by service,
    and `Kafka`, `PostgreSQL`.
    """

    at_s: float
    accepted: float
    sagas: Mapping[str, int]  # by state; those under way stand as UNDER_WAY
    services: Mapping[str, ServiceVitals]
    usage: Mapping[str, Usage]


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened between two moments, a second."""

    accepted: float
    ended: float
    cpu_percent: Mapping[str, float]  # of one processor, by what `usage` has


UNDER_WAY, ENDS = "UNDER_WAY", ("COMPLETED", "COMPENSATED", "NEEDS_ATTENTION")


async def take(client: Client, run_file: RunFile) -> Vitals:
    """Give how the platform does now."""
    names = list(run_file.services)
    known, lacking, parked = await asyncio.gather(
        figures.scrape(client, names), readiness.missing(run_file.urls), _parked(client, names)
    )
    services = {
        name: _service(found, lacking.get(name), parked[name]) for name, found in known.items()
    }
    gateway, orchestrator = (known.get(name, Figures({})) for name in (GATEWAY, ORCHESTRATOR))
    return Vitals(
        at_s=time.monotonic(),
        accepted=gateway.total("sagaline_intake_answers_total", answer="accepted"),
        sagas=_sagas(orchestrator),
        services=services,
        usage=process_usage.of(processes(run_file)),
    )


def between(before: Vitals, after: Vitals) -> Rates:
    """Give what happened; of what was counted anew after a restart, nothing."""
    seconds = max(after.at_s - before.at_s, 1e-3)
    ended = sum(after.sagas[state] - before.sagas[state] for state in ENDS)
    cpu = {
        name: 100 * max(usage.cpu_s - before.usage[name].cpu_s, 0.0) / seconds
        for name, usage in after.usage.items()
        if name in before.usage
    }
    accepted = max(after.accepted - before.accepted, 0.0)
    return Rates(accepted / seconds, max(ended, 0) / seconds, cpu)


def processes(run_file: RunFile) -> dict[str, int]:
    """Give pids by name. Services that share a process have it once, under the first one's name."""
    found = {name: service.process for name, service in run_file.services.items()}
    found |= {"Kafka": run_file.kafka.process, "PostgreSQL": run_file.postgres.process}
    pids: dict[str, int] = {}
    for name, process in found.items():
        if process is not None and process.pid not in pids.values():
            pids[name] = process.pid
    return pids


def _sagas(orchestrator: Figures) -> dict[str, int]:
    ended = orchestrator.by("sagaline_sagas_ended_total", "state")
    under_way = {UNDER_WAY: int(orchestrator.total("sagaline_sagas_in_memory"))}
    return under_way | {state: int(ended.get(state, 0)) for state in ENDS}


def _service(found: Figures, missing: str | None, parked: int) -> ServiceVitals:
    return ServiceVitals(
        missing=missing,
        lag_records=int(found.total("sagaline_consumer_lag_records")),
        outbox_rows=int(found.total("sagaline_outbox_rows")),
        outbox_oldest_s=found.total("sagaline_outbox_oldest_seconds"),
        quarantined=int(found.total("sagaline_outbox_quarantined_rows")),
        parked=parked,
    )


async def _parked(client: Client, services: Sequence[str]) -> dict[str, int]:
    counts = await asyncio.gather(*(_parked_in(client, name) for name in services))
    return dict(zip(services, counts, strict=True))


async def _parked_in(client: Client, service: str) -> int:
    path = f"/dlq?limit={PARKED_SHOWN_MAX}"
    try:
        answer = await client.ask(service, "GET", path, operator=True)
    except Unreachable:
        return 0
    return len(answer.json()["dead_letters"]) if answer.status_code == httpx.codes.OK else 0
