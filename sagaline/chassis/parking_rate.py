"""The rate of parking: a bad release must not dead-letter a topic.

See docs/architecture.md, "Parking". One poison record is set aside and nobody else stops; twenty
in a few minutes are no poison but a fault of ours, and then the consumer holds until it is mended.
"""

from collections import deque
from collections.abc import Callable

from sagaline.chassis.errors import TooManyParked


class ParkingRate:
    """At most `keys_max` keys are parked within `window_s` seconds, by this process."""

    def __init__(self, *, keys_max: int, window_s: float, clock_s: Callable[[], float]) -> None:
        self._keys_max = keys_max
        self._window_s = window_s
        self._clock_s = clock_s
        self._parked_at_s: deque[float] = deque()

    def check(self, keys: int) -> None:
        """Raises TooManyParked if so many more are too many now."""
        now_s = self._clock_s()
        while self._parked_at_s and self._parked_at_s[0] <= now_s - self._window_s:
            self._parked_at_s.popleft()
        if keys and len(self._parked_at_s) + keys > self._keys_max:
            raise TooManyParked(keys_max=self._keys_max, window_s=round(self._window_s))

    def parked(self, keys: int) -> None:
        """So many more were parked just now."""
        self._parked_at_s.extend([self._clock_s()] * keys)
