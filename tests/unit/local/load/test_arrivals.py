"""How requests come: closed and open loops, without anybody who answers."""

import asyncio
import itertools
import time

from sagaline.local.load.arrivals import ClosedLoop, OpenLoop
from sagaline.local.load.tally import Tally


async def test_a_closed_loop_has_so_many_under_way_and_no_more() -> None:
    tally, stop = Tally(wanted=20), asyncio.Event()
    tally.counts = True

    async def send(due_s: float) -> None:
        counted = tally.begin()
        await asyncio.sleep(0)
        tally.end("OK", expected="OK", seconds=0.001, counted=counted)

    async with asyncio.TaskGroup() as group:
        group.create_task(ClosedLoop(3).run(send, tally, stop))
        await tally.full.wait()
        stop.set()
    assert tally.open_most == 3
    assert tally.latencies.count == 20
    assert tally.open == 0


async def test_an_open_loop_counts_what_it_can_not_send_and_lets_nobody_wait() -> None:
    tally, stop, answer = Tally(), asyncio.Event(), asyncio.Event()
    tally.counts = True
    due: list[float] = []

    async def send(due_s: float) -> None:
        counted = tally.begin()
        due.append(due_s)
        await answer.wait()
        tally.end("OK", expected="OK", seconds=time.monotonic() - due_s, counted=counted)

    async with asyncio.TaskGroup() as group:
        group.create_task(OpenLoop(1_000, open_max=5).run(send, tally, stop))
        while tally.not_sent < 10:  # noqa: ASYNC110 - a loop on a schedule needs time to pass
            await asyncio.sleep(0)
        stop.set()
        answer.set()
    assert tally.sent == tally.open_most == 5
    periods = [round(b - a, 6) for a, b in itertools.pairwise(due)]
    assert periods == [0.001] * 4  # however late they were sent
    # From when they were due: the stall is in all of them.
    assert tally.latencies.ms(50) > 5
