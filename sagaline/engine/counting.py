"""Counts sagas under way, and those that need a person: now and then, for all processes."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from itertools import product

import asyncpg
from prometheus_client import CollectorRegistry, Gauge
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.database import Database
from sagaline.chassis.recounting import recounting
from sagaline.engine.state import SagaStatus

COUNTED_MAX = 100_000
UNDER_WAY = (SagaStatus.RUNNING, SagaStatus.COMMITTED, SagaStatus.COMPENSATING)

# By two indexes. What is under way has a timer, but for what stands still behind a parked record;
# and what has ended soon has none any more.
COUNT = """
    SELECT definition, status, stalled, timed, count(*) AS sagas
    FROM (
        (SELECT definition, status, stalled, true AS timed
            FROM saga WHERE timer_at IS NOT NULL LIMIT $1)
        UNION ALL
        (SELECT definition, status, stalled, false
            FROM saga WHERE (stalled OR status = 'NEEDS_ATTENTION') AND timer_at IS NULL LIMIT $1)
    ) AS found
    GROUP BY definition, status, stalled, timed
"""


class Counting:
    """Gauges, the same in each process of the service."""

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
        self._parked = Gauge(
            "sagaline_sagas_parked",
            "Sagas that stand still behind a parked record, as last counted.",
            ["definition"],
            registry=registry,
        )
        self._in_need = Gauge(
            "sagaline_sagas_needing_attention",
            "Sagas in NEEDS_ATTENTION, as last counted.",
            ["definition"],
            registry=registry,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Count until `stopping`."""
        await recounting(self.count, what="sagas", stopping=stopping, log=self._log)

    async def count(self) -> None:
        """Count once."""
        async with self._database.reading() as tx:
            found = await tx.fetch(COUNT, COUNTED_MAX)
        under_way = [row for row in found if row["status"] in UNDER_WAY]
        stalled = [row for row in under_way if row["stalled"] and row["timed"]]
        parked = [row for row in under_way if row["stalled"] and not row["timed"]]
        in_need = [row for row in found if row["status"] == SagaStatus.NEEDS_ATTENTION]
        states = product(self._definitions, UNDER_WAY)
        _show(self._under_way, states, under_way, "definition", "status")
        for gauge, rows in (
            (self._stalled, stalled),
            (self._parked, parked),
            (self._in_need, in_need),
        ):
            _show(gauge, product(self._definitions), rows, "definition")


def _show(
    gauge: Gauge,
    always: Iterable[tuple[str, ...]],
    rows: Iterable[asyncpg.Record],
    *columns: str,
) -> None:
    """Each row's sagas at its `columns`, zeros at `always`, and nothing of the last count."""
    sagas = Counter(dict.fromkeys(always, 0))
    for row in rows:
        sagas[tuple(row[column] for column in columns)] += row["sagas"]
    gauge.clear()
    for labels, number in sagas.items():
        gauge.labels(*labels).set(number)
