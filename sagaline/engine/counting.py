"""Counts sagas under way, by state: looked up now and then, since several processes share them."""

import asyncio
from collections import Counter
from collections.abc import Collection
from itertools import product

from prometheus_client import CollectorRegistry, Gauge
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.database import Database
from sagaline.chassis.deadline import within
from sagaline.chassis.faults import passing
from sagaline.engine.state import SagaStatus

INTERVAL_MS = 15_000
COUNTED_MAX = 100_000
UNDER_WAY = (SagaStatus.RUNNING, SagaStatus.COMMITTED, SagaStatus.COMPENSATING)

# By the index of timers: what is under way has one, and what has ended soon has none any more.
COUNT = """
    SELECT definition, status, stalled, count(*) AS sagas
    FROM (SELECT definition, status, stalled FROM saga WHERE timer_at IS NOT NULL LIMIT $1) AS timed
    WHERE status = ANY($2)
    GROUP BY definition, status, stalled
"""


class Counting:
    """Two gauges, the same in each process of the service."""

    def __init__(
        self,
        definitions: Collection[str],
        database: Database,
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
    ) -> None:
        """Of `definitions` it shows zeros, too: a series that isn't there says nothing."""
        self._definitions = definitions
        self._database = database
        self._log = log
        self._under_way = Gauge(
            "sagaline_sagas_under_way",
            f"Sagas that have not ended, as last counted, up to {COUNTED_MAX:,}.",
            ["definition", "state"],
            registry=registry,
        )
        self._stalled = Gauge(
            "sagaline_sagas_stalled",
            "Sagas with a step that was asked for more often than its limit, as last counted.",
            ["definition"],
            registry=registry,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Count until `stopping`; what passes is tried again at the next turn."""
        while not stopping.is_set():
            try:
                await self.count()
            except Exception as error:
                if not passing(error):
                    raise
                self._log.warning("sagas not counted", error=repr(error))
            await within(stopping, INTERVAL_MS)

    async def count(self) -> None:
        """Count once."""
        async with self._database.reading() as tx:
            rows = await tx.fetch(COUNT, COUNTED_MAX, [each.value for each in UNDER_WAY])
        under_way = Counter(dict.fromkeys(product(self._definitions, UNDER_WAY), 0))
        stalled = Counter(dict.fromkeys(self._definitions, 0))
        for row in rows:
            under_way[row["definition"], SagaStatus(row["status"])] += row["sagas"]
            stalled[row["definition"]] += row["sagas"] if row["stalled"] else 0
        self._under_way.clear()  # what was counted before, and is not there any more
        self._stalled.clear()
        for (definition, state), sagas in under_way.items():
            self._under_way.labels(definition, state).set(sagas)
        for definition, sagas in stalled.items():
            self._stalled.labels(definition).set(sagas)
