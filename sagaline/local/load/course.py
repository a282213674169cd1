"""The course of a load: what ended, what waited and what each process took, every few seconds."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from sagaline.local import figures, process_usage, vitals
from sagaline.local.client import Client
from sagaline.local.load.window import Window
from sagaline.local.process_usage import Usage
from sagaline.local.run_file import RunFile

EVERY_S = 2.0
ENDED = "sagaline_sagas_ended_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happened since the moment before, and what waited now; `sagas_ended` counts up."""

    at_s: float  # since the course began
    counted: bool  # it lies in the window
    orders_per_s: float
    p50_ms: float
    p99_ms: float
    sagas_ended: int
    lag_records: int
    outbox_rows: int
    outbox_oldest_s: float
    usage: Mapping[str, Usage]


class Course:
    """Looks at a platform again and again while a load runs."""

    def __init__(self, client: Client, run_file: RunFile, window: Window) -> None:
        self._client = client
        self._run_file = run_file
        self._window = window
        self._begin_s = self._before_s = time.monotonic()
        self.moments: list[Moment] = []

    async def follow(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.moments.append(await self._look())

    async def _look(self) -> Moment:
        found = (await figures.scrape(self._client, self._run_file.services)).values()
        ended = self._window.take_interval()
        now_s = time.monotonic()
        passed_s, self._before_s = now_s - self._before_s, now_s
        return Moment(
            at_s=now_s - self._begin_s,
            counted=self._window.holds(now_s),
            orders_per_s=ended.orders / passed_s,
            p50_ms=ended.latencies.ms(50),
            p99_ms=ended.latencies.ms(99),
            sagas_ended=int(sum(each.total(ENDED) for each in found)),
            lag_records=int(sum(each.total("sagaline_consumer_lag_records") for each in found)),
            outbox_rows=int(sum(each.total("sagaline_outbox_rows") for each in found)),
            outbox_oldest_s=max(
                (each.total("sagaline_outbox_oldest_seconds") for each in found), default=0.0
            ),
            usage=process_usage.of(vitals.processes(self._run_file)),
        )

    def processes(self) -> dict[str, dict[str, float]]:
        """Give what each process took in the window: CPU, and memory at its begin and end."""
        counted = [moment for moment in self.moments if moment.counted]
        if len(counted) < 2:
            return {}
        first, last = counted[0], counted[-1]
        seconds = last.at_s - first.at_s
        # Of the window only what lies between two looks is known: so is the share of its orders.
        between = orders_between(counted)
        return {
            name: {
                "cpu_ms_per_order": round(1000 * _cpu_s(first, last, name) / max(between, 1), 3),
                "cpu_percent": round(100 * _cpu_s(first, last, name) / seconds, 1),
                "memory_mib_first": first.usage[name].memory_mib,
                "memory_mib_last": last.usage[name].memory_mib,
                "memory_mib_max": max(m.usage[name].memory_mib for m in counted),
            }
            for name in last.usage
            if all(name in moment.usage for moment in counted)
        }

    def sagas_ended_per_s(self) -> float:
        """Give how many sagas came to their own end a second, in the window."""
        counted = [moment for moment in self.moments if moment.counted]
        if len(counted) < 2:
            return 0.0
        first, last = counted[0], counted[-1]
        return round((last.sagas_ended - first.sagas_ended) / (last.at_s - first.at_s), 1)

    def series(self) -> list[dict[str, object]]:
        """Give all moments, for a result's file."""
        return [_rounded(asdict(moment)) for moment in self.moments]


def orders_between(moments: Sequence[Moment]) -> float:
    """Give how many orders ended between the first and the last of these."""
    return sum(
        after.orders_per_s * (after.at_s - before.at_s) for before, after in pairwise(moments)
    )


def _cpu_s(first: Moment, last: Moment, name: str) -> float:
    return last.usage[name].cpu_s - first.usage[name].cpu_s


def _rounded(moment: Mapping[str, object]) -> dict[str, object]:
    return {n: round(v, 3) if isinstance(v, float) else v for n, v in moment.items()}
