"""Counts what is parked: looked up now and then, since a gauge is asked for at any time."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.database import Database
from sagaline.chassis.recounting import recounting

COUNTED_MAX = 10_000
COUNT = "SELECT count(*) FROM (SELECT FROM sagaline.parked LIMIT $1) AS parked"


class ParkedCount:
    """A gauge, the same in each process of the service."""

    def __init__(
        self, database: Database, registry: CollectorRegistry, log: FilteringBoundLogger
    ) -> None:
        self._database = database
        self._log = log
        self._parked = Gauge(
            "sagaline_parked_records",
            f"Parked records, which wait for a person, as last counted, up to {COUNTED_MAX:,}.",
            registry=registry,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Count until `stopping`."""
        await recounting(self.count, what="parked records", stopping=stopping, log=self._log)

    async def count(self) -> None:
        """Count once."""
        async with self._database.reading() as tx:
            self._parked.set((await tx.fetch(COUNT, COUNTED_MAX))[0][0])
