"""What is measured, as data: each row has a platform of its own, and floors it should reach."""

from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from bench.floor import Floor, at_least, at_most
from sagaline.local.load.plan import Plan

CPU, RATE = "cpu_ms_per_order", "orders_per_s"
YARDSTICK: Final = "yardstick_ms"  # of every row
OF_PLATFORM = f"platform.{CPU}"  # without the kernel's own threads, and others on the machine


@dataclass(frozen=True, slots=True)
class Streams:
    """Streams of orders' progress: see bench/streams.py."""

    clients: int = 200
    seconds: float = 30.0


What: TypeAlias = Plan | Streams


@dataclass(frozen=True, slots=True)
class Row:
    """A name, what is done, what it should come to, and which figures of it are printed."""

    name: str
    what: What
    floors: tuple[Floor, ...] = ()
    shown: tuple[str, ...] = field(default=())

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the figures that are told: those with a floor first, the yardstick last."""
        with_floors = (floor.path for floor in self.floors)
        return tuple(dict.fromkeys([*with_floors, *self.shown, YARDSTICK]))

    def shortened(self, seconds: float | None) -> "Row":
        """Give the same for another length of its window."""
        if seconds is None:
            return self
        return replace(self, what=replace(self.what, seconds=seconds))


def _closed(name: str, in_flight: int, *floors: Floor, seconds: float = 60.0) -> Row:
    plan = Plan(in_flight=in_flight, seconds=seconds, warm_up_s=10.0)
    return Row(name, plan, floors, (RATE, CPU, OF_PLATFORM, "latency.p50_ms", "latency.p99_ms"))


ROWS: Final = (
    _closed("in-flight-1024", 1024, at_least(RATE, 600), at_most(CPU, 2.6)),
    _closed("in-flight-64", 64, at_least(RATE, 150), at_most(CPU, 7)),
    _closed("in-flight-16", 16, at_least(RATE, 60), at_most(CPU, 18)),
    _closed("alone", 1, at_most("latency.p50_ms", 60), seconds=30.0),
    Row(
        "open-300",
        Plan(rate=300, seconds=300.0, warm_up_s=10.0),
        (
            at_most("latency.p50_ms", 250),
            at_most("latency.p99_ms", 750),
            at_most("steady.outbox_oldest_ratio", 1.2),
            at_most("steady.lag_ratio", 1.2),
            at_most("platform.memory.growth_percent", 5),
        ),
        (RATE, CPU, "not_sent"),
    ),
    Row(
        "reads-200",
        Plan(rate=150, reads=200, seconds=60.0, warm_up_s=10.0),
        (at_most("reads.p95_ms", 50), at_most("reads.p99_ms", 150)),
        (RATE, CPU, "reads.per_s", "not_sent"),
    ),
    Row(
        "idle",
        Plan(seconds=60.0),
        (at_most("platform.cpu_percent", 12), at_most("platform.memory.max_mib", 1536)),
    ),
    Row(
        "streams",
        Streams(),
        (),
        (
            "kib_per_client",
            "idle_percent_of_a_core_without",
            "idle_percent_of_a_core_open",
            "cpu_ms_per_client_until_its_end",
        ),
    ),
)
