"""An open loop of orders: sent when they are due, whether or not earlier ones were answered.

Latency counts from when an order was due. A loop that waits for answers before it sends would count
a second's stall once, and not for all who would have come in that second (coordinated omission; Gil
Tene, "How NOT to Measure Latency").
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator

from sagaline.chassis.errors import PlatformError
from sagaline.local.load.customers import Customers
from sagaline.local.load.report import Report
from sagaline.local.load.window import Window

OPEN_MAX = 4_096  # requests; a platform that is so far behind doesn't keep up
DRAIN_S = 60.0


async def due(rate_per_s: float, seconds: float) -> AsyncIterator[float]:
    """Give each moment of an even schedule once it has come, late if need be, but all of them."""
    begin_s = time.monotonic()
    for number in range(int(rate_per_s * seconds)):
        due_s = begin_s + number / rate_per_s
        if (early_s := due_s - time.monotonic()) > 0:
            await asyncio.sleep(early_s)
        yield due_s


class OpenLoop:
    """Sends `rate_per_s` orders a second; `window` counts those that were due in it."""

    def __init__(
        self, customers: Customers, *, rate_per_s: float, window: Window, open_max: int = OPEN_MAX
    ) -> None:
        assert rate_per_s > 0, rate_per_s
        self._customers = customers
        self._rate_per_s = rate_per_s
        self._window = window
        self._open_max = open_max
        self._open: set[asyncio.Task[None]] = set()
        self._unsent = 0
        self._failed = 0

    async def run_for(self, seconds: float, *, warm_up_s: float) -> Report:
        """Send for so long after a warm-up; then wait for what is open, but not for ever."""
        try:
            await self._send_for(warm_up_s)
            self._window.open()
            self._unsent = 0
            await self._send_for(seconds)
            self._window.close()
            if self._open:
                await asyncio.wait(self._open, timeout=DRAIN_S)
            unfinished = len(self._open) + self._failed
        finally:
            for task in self._open:
                task.cancel()
        cpus = os.cpu_count() or 1
        return Report.of(self._window, cpus=cpus, unsent=self._unsent, unfinished=unfinished)

    async def _send_for(self, seconds: float) -> None:
        async for due_s in due(self._rate_per_s, seconds):
            if len(self._open) >= self._open_max:
                self._unsent += 1
                continue
            task = asyncio.create_task(self._serve(due_s))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _serve(self, due_s: float) -> None:
        try:
            self._window.ended(await self._customers.serve(), since_s=due_s)
        except PlatformError:  # refused, or no end in time: counted, and the others go on
            self._failed += 1
