"""The steady window of a load: open for so long, with a look at everything each second."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sagaline.local.load.reading import Reader, Reading
from sagaline.local.load.tally import Tally

TICK_S = 1.0
MEMORY_TICKS = 10  # one look in so many is at memory, too: it takes 200 ms and more


@dataclass(frozen=True, slots=True)
class Second:
    """What a second brought (the last one may be shorter), and how things stood at its end."""

    reading: Reading
    ended: int
    p50_ms: float
    p99_ms: float
    open: int
    not_sent: int  # in the window so far


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is over."""

    begin: Reading
    end: Reading
    seconds: Sequence[Second]

    @property
    def length_s(self) -> float:
        """How long it was open."""
        return self.end.at_s - self.begin.at_s


async def watch(
    reader: Reader, orders: Tally, reads: Tally, *, seconds: float | None, full: asyncio.Event
) -> Window:
    """Open the window now; close it after `seconds`, or when `full` says so."""
    orders.second()
    begin = reader.brief()
    orders.counts = reads.counts = True
    end_s = float("inf") if seconds is None else begin.at_s + seconds
    series: list[Second] = []
    ticks = 0
    while not full.is_set() and time.monotonic() < end_s:
        ticks += 1
        await _until(full, min(begin.at_s + ticks * TICK_S, end_s))
        if full.is_set() or time.monotonic() >= end_s:
            break
        with_memory = ticks % MEMORY_TICKS == 1
        series.append(_second(await reader.full(with_memory=with_memory), orders))
    orders.counts = reads.counts = False
    end = reader.brief()
    return Window(begin, end, [*series, _second(await reader.full(with_memory=True), orders)])


async def _until(full: asyncio.Event, at_s: float) -> None:
    try:
        async with asyncio.timeout(max(at_s - time.monotonic(), 0)):
            await full.wait()
    except TimeoutError:
        pass


def _second(reading: Reading, orders: Tally) -> Second:
    latencies = orders.second()
    return Second(
        reading=reading,
        ended=latencies.count,
        p50_ms=round(latencies.ms(50), 2),
        p99_ms=round(latencies.ms(99), 2),
        open=orders.open,
        not_sent=orders.not_sent,
    )
