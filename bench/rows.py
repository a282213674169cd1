"""The loads that are measured, and what each is to reach on two cores."""

from dataclasses import dataclass, replace
from typing import Final

from sagaline.local.load.plan import Plan

OPEN_S, SHORTEST_S = 300.0, 10.0


@dataclass(frozen=True, slots=True)
class Floor:
    """What a figure must be at least, or at most; `figure` is a path into a result."""

    figure: str
    least: float | None = None
    most: float | None = None

    def reached(self, value: float) -> bool:
        """Say whether this is good enough."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def __str__(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One load; no plan: nothing is done at all, for `idle_s`."""

    name: str
    floors: tuple[Floor, ...]
    plan: Plan | None = None
    idle_s: float = 60.0

    def lasting(self, seconds: float | None) -> "Row":
        """The same, but so long, for a quick look."""
        if seconds is None:
            return self
        seconds = max(seconds, SHORTEST_S)
        return replace(self, idle_s=seconds, plan=self.plan and replace(self.plan, seconds=seconds))


CPU, RATE = "cpu_ms_per_order", "orders_per_s"

ROWS: Final = (
    Row(
        "in-flight-1024",
        (Floor(RATE, least=600), Floor(CPU, most=2.6)),
        Plan(in_flight=1024, seconds=60, warm_up_s=20),
    ),
    Row(
        "in-flight-64",
        (Floor(RATE, least=150), Floor(CPU, most=7)),
        Plan(in_flight=64, seconds=60, warm_up_s=15),
    ),
    Row(
        "in-flight-16",
        (Floor(RATE, least=60), Floor(CPU, most=18)),
        Plan(in_flight=16, seconds=60, warm_up_s=15),
    ),
    Row("alone", (Floor("p50_ms", most=60),), Plan(in_flight=1, seconds=60, warm_up_s=20)),
    Row(
        "open-300",
        (
            Floor("p50_ms", most=250),
            Floor("p99_ms", most=750),
            Floor("growth.lag", most=1.2),
            Floor("growth.outbox_age", most=1.2),
            Floor("growth.memory_percent", most=5),
        ),
        Plan(rate_per_s=300, seconds=OPEN_S, warm_up_s=20),
    ),
    Row(
        "reads-200",
        (Floor("reads.p95_ms", most=50), Floor("reads.p99_ms", most=150)),
        Plan(rate_per_s=150, reads_per_s=200, seconds=60, warm_up_s=15),
    ),
    Row("idle", (Floor("cpu_percent_of_one", most=12), Floor("memory_mib", most=1536))),
)
