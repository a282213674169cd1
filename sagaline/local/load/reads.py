"""Customers who look at orders, at a fixed rate, beside those who place them."""

import asyncio
import random
import time
from collections.abc import Sequence
from uuid import UUID

from sagaline.chassis.errors import PlatformError
from sagaline.local.client import Client
from sagaline.local.load.latencies import Latencies
from sagaline.local.load.open_loop import OPEN_MAX, due
from sagaline.local.load.window import Window

RECENT = 2_000  # looked at are orders of the last seconds, under way or just ended


class Reads:
    """`GET /orders/{id}` of recent orders; latencies, from when each was due, in `latencies`."""

    def __init__(
        self, client: Client, placed: Sequence[UUID], *, rate_per_s: float, rng: random.Random
    ) -> None:
        self._client = client
        self._placed = placed
        self._rate_per_s = rate_per_s
        self._rng = rng
        self._open: set[asyncio.Task[None]] = set()
        self.latencies = Latencies()
        self.failed = 0
        self.unsent = 0

    async def run_for(self, seconds: float, *, window: Window) -> None:
        """Read for so long; those that are due while `window` is open count."""
        try:
            async for due_s in due(self._rate_per_s, seconds):
                if len(self._open) >= OPEN_MAX:
                    self.unsent += 1
                elif self._placed:
                    task = asyncio.create_task(self._read(due_s, window))
                    self._open.add(task)
                    task.add_done_callback(self._open.discard)
            await asyncio.gather(*self._open)
        finally:
            for task in self._open:
                task.cancel()

    async def _read(self, due_s: float, window: Window) -> None:
        first = max(len(self._placed) - RECENT, 0)
        order_id = self._placed[self._rng.randrange(first, len(self._placed))]
        try:
            await self._client.order(order_id)
        except PlatformError:
            self.failed += 1
            return
        if window.holds(due_s):
            self.latencies.add(time.monotonic() - due_s)

    def figures(self) -> dict[str, float]:
        """Give what is worth writing down; times in ms."""
        return {
            "reads": len(self.latencies),
            **self.latencies.figures(),
            "failed": self.failed,
            "unsent": self.unsent,
        }
