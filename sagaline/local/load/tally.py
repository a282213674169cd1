"""What became of requests: counted within a window only, and second by second besides."""

import asyncio
from collections import Counter

from sagaline.local.load.latencies import Latencies


class Tally:
    """Of requests of one kind. `counts` is true while the steady window is open.

    After `wanted` of them nothing more is counted, and `full` is set. With `by_schedule` latency
    counts of those that were sent in the window, whenever they end: else a platform that stands
    still at the window's end would hide whom it keeps waiting.
    """

    def __init__(self, *, wanted: int | None = None, by_schedule: bool = False) -> None:
        self.counts = False
        self._by_schedule = by_schedule
        self.full = asyncio.Event()
        self._wanted = wanted
        self.latencies = Latencies()
        self.statuses: Counter[str] = Counter()  # of those that ended in the window
        self.unexpected: Counter[str] = Counter()  # of all, also before and after the window
        self.sent = 0  # in the window
        self.not_sent = 0  # in the window: due, while too many were open
        self.open = 0
        self.open_most = 0
        self.ended = 0  # ever
        self._second = Latencies()

    def begin(self) -> bool:
        """One is sent; whether in the window, `end` has to be told."""
        self.open += 1
        self.open_most = max(self.open_most, self.open)
        self.sent += self.counts
        return self.counts

    def end(self, status: str, *, expected: str, seconds: float, counted: bool) -> None:
        """One has ended, so long after it was due."""
        self.open -= 1
        self.ended += 1
        if status != expected:
            self.unexpected[f"{status} instead of {expected}"] += 1
        self._second.add(seconds)
        if self.counts:
            self.statuses[status] += 1
        if counted if self._by_schedule else self.counts:
            self.latencies.add(seconds)
            if self.latencies.count == self._wanted:
                self.counts = False
                self.full.set()

    def skip(self, count: int) -> None:
        """So many were due and are never sent."""
        self.not_sent += count if self.counts else 0

    def second(self) -> Latencies:
        """Give the latencies of all that ended since this was last asked."""
        second, self._second = self._second, Latencies()
        return second
