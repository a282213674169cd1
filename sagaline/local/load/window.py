"""The steady window of a load: only what happens in it counts."""

import os
import time
from collections import Counter
from dataclasses import dataclass, field

from sagaline.local.load.customers import Served
from sagaline.local.load.latencies import Latencies
from sagaline.local.machine_cpu import MachineCpu


@dataclass(frozen=True, slots=True)
class Spent:
    """The clock, and the processor time spent so far: by the machine, and by this process of it."""

    at_s: float
    machine: MachineCpu
    own_cpu_s: float

    @classmethod
    def now(cls) -> "Spent":
        """Read them."""
        own = os.times()
        return cls(time.monotonic(), MachineCpu.now(), own.user + own.system)


@dataclass(slots=True)
class Interval:
    """What ended since the last look: for the course of the run."""

    orders: int = 0
    latencies: Latencies = field(default_factory=Latencies)


class Window:
    """Counts orders that end while it is open, and latencies since `since_s`.

    With `by_schedule` a latency counts if its order was due while the window was open, whenever it
    ends: a platform that stands still can't hide that by not answering.
    """

    def __init__(self, *, by_schedule: bool = False) -> None:
        self._by_schedule = by_schedule
        self._opened: Spent | None = None
        self._closed: Spent | None = None
        self._interval = Interval()
        self.orders = 0
        self.statuses: Counter[str] = Counter()
        self.unexpected = 0
        self.latencies = Latencies()

    def open(self) -> None:
        """From now on it counts."""
        self._opened = Spent.now()
        self._interval = Interval()

    def close(self) -> None:
        """Nothing that ends from now on is counted."""
        self._closed = Spent.now()

    @property
    def spent(self) -> tuple[Spent, Spent]:
        """What the clocks said when it was opened, and closed."""
        assert self._opened is not None
        assert self._closed is not None
        return self._opened, self._closed

    def holds(self, at_s: float) -> bool:
        """Say whether the window was open then."""
        if self._opened is None or at_s < self._opened.at_s:
            return False
        return self._closed is None or at_s < self._closed.at_s

    def ended(self, served: Served, *, since_s: float) -> None:
        """An order has just ended that was sent, or due, at `since_s`."""
        now_s = time.monotonic()
        self.unexpected += not served.as_expected
        self._interval.orders += 1
        self._interval.latencies.add(now_s - since_s)
        if self.holds(now_s):
            self.orders += 1
            self.statuses[served.status] += 1
        if self.holds(since_s if self._by_schedule else now_s):
            self.latencies.add(now_s - since_s)

    def take_interval(self) -> Interval:
        """Give what ended since this was last asked."""
        taken, self._interval = self._interval, Interval()
        return taken
