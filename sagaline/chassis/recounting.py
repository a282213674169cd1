"""A look at the database now and then, for gauges that no single process can keep."""

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from sagaline.chassis.deadline import within
from sagaline.chassis.faults import passing

INTERVAL_MS = 15_000


async def recounting(
    count: Callable[[], Awaitable[None]],
    *,
    what: str,
    stopping: asyncio.Event,
    log: FilteringBoundLogger,
) -> None:
    """`count` until `stopping`, at each INTERVAL_MS; what passes is tried again at the next."""
    while not stopping.is_set():
        try:
            await count()
        except Exception as error:
            if not passing(error):
                raise
            log.warning("not counted", what=what, error=repr(error))
        await within(stopping, INTERVAL_MS)
