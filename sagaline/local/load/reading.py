"""A look at the platform while it is under load: what processes have taken, and what waits."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sagaline.local import process_usage
from sagaline.local.client import ORCHESTRATOR
from sagaline.local.load.connection import Connections
from sagaline.local.machine_cpu import MachineCpu
from sagaline.local.run_file import RunFile
from sagaline.local.vitals import processes

OWN = "load"
LAG, ROWS = "sagaline_consumer_lag_records", "sagaline_outbox_rows"
OLDEST, ENDED = "sagaline_outbox_oldest_seconds", "sagaline_sagas_ended_total"
WITHIN_S = 0.9


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a service: records that it hasn't read, and rows that it hasn't sent."""

    lag_records: int
    outbox_rows: int
    outbox_oldest_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """All of it at one moment. A service that didn't answer in time is absent from `waiting`."""

    at_s: float
    machine: MachineCpu
    cpu_s: Mapping[str, float]  # by service, and of `Kafka`, `PostgreSQL` and `load`
    memory_mib: Mapping[str, int] = field(default_factory=dict)  # likewise, if it was looked at
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    sagas_ended: int | None = None


class Reader:
    """Takes readings of the platform that `run_file` tells of."""

    def __init__(self, run_file: RunFile) -> None:
        self._pids = processes(run_file) | {OWN: os.getpid()}
        self._services = {name: Connections(url) for name, url in run_file.urls.items()}

    def close(self) -> None:
        """The connections are closed."""
        for connections in self._services.values():
            connections.close()

    def brief(self) -> Reading:
        """Give what processes have spent: at once, for the ends of a window."""
        return Reading(time.monotonic(), MachineCpu.now(), process_usage.cpu_s(self._pids))

    async def full(self, *, with_memory: bool) -> Reading:
        """Give what waits, too; memory is dear, so only where it is asked for."""
        pages = await asyncio.gather(*(self._page(name) for name in self._services))
        known = {
            name: page for name, page in zip(self._services, pages, strict=True) if page is not None
        }
        waiting = {
            name: Waiting(
                lag_records=int(_total(page, LAG)),
                outbox_rows=int(_total(page, ROWS)),
                outbox_oldest_s=round(_total(page, OLDEST), 3),
            )
            for name, page in known.items()
        }
        orchestrator = known.get(ORCHESTRATOR)
        ended = None if orchestrator is None else int(_total(orchestrator, ENDED))
        brief = self.brief()
        memory = await self._memory_mib() if with_memory else {}
        return replace(brief, memory_mib=memory, waiting=waiting, sagas_ended=ended)

    async def _memory_mib(self) -> dict[str, int]:
        # The kernel needs 200 to 600 ms for all of them, in which the load is to go on.
        return await asyncio.to_thread(process_usage.memory_mib, self._pids)

    async def _page(self, service: str) -> list[str] | None:
        try:
            answer = await self._services[service].ask("GET", "/metrics", within_s=WITHIN_S)
        except OSError:
            return None
        return answer.body.decode().splitlines() if answer.status == 200 else None


def _total(page: list[str], name: str) -> float:
    """Sum a figure's samples. Pages are long, and parsed as a whole each second they would cost."""
    return sum(float(line.rpartition(" ")[2]) for line in page if line.startswith(name))
