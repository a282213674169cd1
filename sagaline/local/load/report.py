"""What a load came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sagaline.local.load.latencies import Latencies
from sagaline.local.load.window import Window
from sagaline.local.machine_cpu import MachineCpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one window.

    Latency lasts from before the POST, or in an open loop from when it was due, until an answer
    shows the order's end. `unsent` orders were due while too many others were open; `unfinished`
    ones had not ended when the loop stopped waiting.
    """

    orders: int
    seconds: float
    statuses: Mapping[str, int]
    unexpected: int
    latencies: Latencies
    machine: MachineCpu  # spent meanwhile, by everything on the machine
    own_cpu_s: float  # of it, spent by the load itself
    cpus: int
    unsent: int = 0
    unfinished: int = 0

    @classmethod
    def of(cls, window: Window, *, cpus: int, unsent: int = 0, unfinished: int = 0) -> Self:
        """Give the figures of a window that was closed."""
        opened, closed = window.spent
        return cls(
            orders=window.orders,
            seconds=closed.at_s - opened.at_s,
            statuses=window.statuses,
            unexpected=window.unexpected,
            latencies=window.latencies,
            machine=closed.machine - opened.machine,
            own_cpu_s=closed.own_cpu_s - opened.own_cpu_s,
            cpus=cpus,
            unsent=unsent,
            unfinished=unfinished,
        )

    @property
    def problems(self) -> list[str]:
        """What ended otherwise than it had to, or not at all."""
        found = {
            "orders ended otherwise than their customer's credit says": self.unexpected,
            "orders were due and not sent: the platform does not keep up": self.unsent,
            "orders did not end in time": self.unfinished,
        }
        return [f"{count} {text}" for text, count in found.items() if count]

    def figures(self) -> dict[str, float]:
        """Give what is worth writing down; times in ms, CPU in ms an order."""
        orders = max(self.orders, 1)
        own_ms = 1000 * self.own_cpu_s / orders
        machine_ms = 1000 * self.machine.busy_s / orders
        return {
            "orders": self.orders,
            "seconds": round(self.seconds, 3),
            "orders_per_s": round(self.orders / self.seconds, 1),
            **self.latencies.figures(),
            "cpu_ms_per_order": round(max(machine_ms - own_ms, 0.0), 2),
            "cpu_ms_per_order_of_load": round(own_ms, 2),
            "cpu_percent": round(100 * self.machine.busy_s / self.seconds / self.cpus, 1),
            "steal_percent": round(100 * self.machine.steal_s / self.seconds / self.cpus, 2),
            "unsent": self.unsent,
            "unfinished": self.unfinished,
        }
