"""How requests come: each after an answer (closed loop), or on a schedule (open loop)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from sagaline.local.load.schedule import Schedule
from sagaline.local.load.tally import Tally

# Sends a request and sees it through to its end; told when it was due.
Send: TypeAlias = Callable[[float], Awaitable[None]]
REST_MAX_S = 0.05


class Arrivals(Protocol):
    """A way for requests to come."""

    async def run(self, send: Send, tally: Tally, stop: asyncio.Event) -> None:
        """Send requests until `stop`; end when all of them have ended."""


class ClosedLoop:
    """So many at a time: whoever has an answer sends the next."""

    def __init__(self, in_flight: int) -> None:
        assert in_flight > 0, in_flight
        self._in_flight = in_flight

    async def run(self, send: Send, tally: Tally, stop: asyncio.Event) -> None:  # noqa: ARG002
        """Send requests until `stop`; end when all of them have ended."""

        async def customer() -> None:
            while not stop.is_set():
                await send(time.monotonic())

        async with asyncio.TaskGroup() as customers:
            for _ in range(self._in_flight):
                customers.create_task(customer())


class OpenLoop:
    """On a schedule. A request's time begins when it was due, so no stall hides those behind it.

    What is due while `open_max` are open is never sent, and counted.
    """

    def __init__(self, rate: float, *, open_max: int) -> None:
        self._schedule = Schedule(rate)
        self._open_max = open_max

    async def run(self, send: Send, tally: Tally, stop: asyncio.Event) -> None:
        """Send requests until `stop`; end when all of them have ended."""
        begin_s, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as requests:
            while not stop.is_set():
                due = self._schedule.due_by(time.monotonic() - begin_s)
                # `begin` is counted by the request itself, which has not run yet.
                room = max(self._open_max - tally.open, 0)
                for each in range(number, min(due, number + room)):
                    requests.create_task(_sent(send, begin_s + self._schedule.due_s(each)))
                tally.skip(max(due - number - room, 0))
                number = due
                rest_s = begin_s + self._schedule.due_s(number) - time.monotonic()
                await asyncio.sleep(min(max(rest_s, 0.0), REST_MAX_S))


class NoArrivals:
    """Nothing comes: the platform is idle."""

    async def run(self, send: Send, tally: Tally, stop: asyncio.Event) -> None:  # noqa: ARG002
        """Wait for `stop`."""
        await stop.wait()


async def _sent(send: Send, due_s: float) -> None:
    await send(due_s)
