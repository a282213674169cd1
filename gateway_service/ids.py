"""Order ids: uuid7 (RFC 9562), growing within a process even when its clock steps back.

In the order of their making they lie side by side in an index, so inserts touch its last page only.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

COUNTER_BITS = 42  # RFC 9562, section 6.2, method 1: rand_a and the upper 30 bits of rand_b
TAIL_BITS = 32


class OrderIds:
    """Makes ids, each greater than the one before it."""

    def __init__(self, clock: Callable[[], datetime], randbits: Callable[[int], int]) -> None:
        self._clock = clock
        self._randbits = randbits
        self._at_ms = -1
        self._counter = 0

    def __call__(self) -> UUID:
        """A new id. Its counter starts anew, in its lower half, with each millisecond."""
        now_ms = int(self._clock().timestamp() * 1000)
        if now_ms > self._at_ms:
            self._at_ms, self._counter = now_ms, self._randbits(COUNTER_BITS - 1)
        else:
            self._counter += 1
            if self._counter >> COUNTER_BITS:
                # Used up: borrow the next millisecond rather than wait for it.
                self._at_ms, self._counter = self._at_ms + 1, 0
        return _uuid7(self._at_ms, self._counter, self._randbits(TAIL_BITS))


def _uuid7(at_ms: int, counter: int, tail: int) -> UUID:
    upper, lower = counter >> 30, counter & (1 << 30) - 1
    version, variant = 7, 2
    bits = at_ms << 80 | version << 76 | upper << 64 | variant << 62 | lower << 32 | tail
    return UUID(int=bits)
