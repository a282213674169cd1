"""A circuit breaker: a port that fails again and again is left alone, and then probed by one call.

Without it each record of a batch would find out for itself that the other side is away, at each
try of the batch.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sagaline.chassis.effects import Port
from sagaline.chassis.errors import Overtaken, ProviderUnavailable
from sagaline.chassis.faults import passing

T = TypeVar("T")


class Breaker:
    """Stands in front of one port, for one process. Any answer, a refusal too, keeps it closed."""

    def __init__(self, port: Port, *, clock_s: Callable[[], float]) -> None:
        self._port = port
        self._clock_s = clock_s
        self._failures = 0
        self._pause_ms = port.pause_ms
        self._again_s = 0.0
        self._reason = ""
        self._probing = asyncio.Lock()

    @property
    def problem(self) -> str | None:
        """Why nobody calls now; None while it is closed, or if nobody has tried for long.

        Then nothing may be left to be called for: records are parked, partitions move away.
        """
        if not self._tripped or self._clock_s() >= self._again_s + self._patience_s:
            return None
        return self._reason

    @property
    def _patience_s(self) -> float:
        """Who still has to call has probed, and heard, so long after a pause."""
        return (self._port.pause_max_ms + self._port.timeout_ms) / 1000

    @property
    def _tripped(self) -> bool:
        return self._failures >= self._port.failures_max

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives; raises ProviderUnavailable without it while the port is left alone."""
        if self._tripped:
            # One probes. The others wait for what it finds, rather than fail beside its success.
            async with self._probing:
                if self._tripped:
                    if self._clock_s() < self._again_s:
                        raise ProviderUnavailable(provider=self._port.name, reason=self._reason)
                    return await self._watched(work)
        return await self._watched(work)

    async def _watched(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            found = await work()
        except Overtaken:
            raise  # nothing was tried
        except Exception as error:
            if passing(error):
                self._failed(error)
            else:
                self._worked()  # the record's own fault, or ours
            raise
        self._worked()
        return found

    def _worked(self) -> None:
        self._failures = 0
        self._pause_ms = self._port.pause_ms

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._reason = str(error) or type(error).__name__
        if self._tripped and self._clock_s() >= self._again_s:
            self._again_s = self._clock_s() + self._pause_ms / 1000
            self._pause_ms = min(2 * self._pause_ms, self._port.pause_max_ms)
