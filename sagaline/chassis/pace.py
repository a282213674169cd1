"""Pace: under load a batch's records are gathered for as long as the batch before it took.

A transaction costs much and a record little. A service that takes each record as it comes does a
transaction for each, and so does everyone after it; one that rests as long as it worked meets
larger batches, and leaves the processor to the others meanwhile. With little to do nobody waits:
a record that came alone is not rested for.
"""

import asyncio
from collections.abc import Callable


class Pace:
    """Rests after work: as long as the work took, at most `rest_max_ms`."""

    def __init__(self, *, rest_max_ms: int, clock_s: Callable[[], float]) -> None:
        self._rest_max_s = rest_max_ms / 1000
        self._clock_s = clock_s
        self._began_s = 0.0
        self._rests_until_s = 0.0

    def began(self) -> None:
        """Work begins now."""
        self._began_s = self._clock_s()

    def ended(self, records: int) -> None:
        """Work on this many records ends now."""
        if records <= 1:
            return
        now_s = self._clock_s()
        self._rests_until_s = now_s + min(now_s - self._began_s, self._rest_max_s)

    @property
    def left_s(self) -> float:
        """Seconds of rest that are left; none at 0 or below."""
        return self._rests_until_s - self._clock_s()

    async def rest(self) -> None:
        """Wait until the rest is over."""
        if (left_s := self.left_s) > 0:
            await asyncio.sleep(left_s)
