"""A closed loop of orders: so many at a time, each customer waiting before placing the next."""

import asyncio
import os
import time
from collections.abc import Iterable
from itertools import count

from sagaline.local.load.customers import Customers
from sagaline.local.load.report import Report
from sagaline.local.load.window import Window


class ClosedLoop:
    """Keeps `in_flight` orders under way; `window` counts."""

    def __init__(self, customers: Customers, *, in_flight: int, window: Window) -> None:
        assert in_flight > 0, in_flight
        self._customers = customers
        self._in_flight = in_flight
        self._window = window
        self._stopping = False

    async def run(self, orders: int) -> Report:
        """Place `orders`, all of which count, and wait for each. Raises the client's errors."""
        self._window.open()
        await self._serve(range(orders))
        self._window.close()
        return self._report()

    async def run_for(self, seconds: float, *, warm_up_s: float) -> Report:
        """Place orders for so long after a warm-up; those under way at the end are waited for."""
        serving = asyncio.create_task(self._serve(count()))
        try:
            await asyncio.wait({serving}, timeout=warm_up_s)
            self._window.open()
            await asyncio.wait({serving}, timeout=seconds)
            self._window.close()
        finally:
            self._stopping = True
        await serving  # by now it has ended, by an error, or will soon
        return self._report()

    async def _serve(self, numbers: Iterable[int]) -> None:
        left = iter(numbers)

        async def customer() -> None:
            for _ in left:
                since_s = time.monotonic()
                self._window.ended(await self._customers.serve(), since_s=since_s)
                if self._stopping:
                    return

        await asyncio.gather(*(customer() for _ in range(self._in_flight)))

    def _report(self) -> Report:
        return Report.of(self._window, cpus=os.cpu_count() or 1)
