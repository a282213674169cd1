"""When requests are due: at a fixed rate, whatever becomes of earlier ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """Request `n` is due `n / rate` seconds after the begin."""

    rate: float

    def __post_init__(self) -> None:
        assert self.rate > 0, self.rate

    def due_s(self, number: int) -> float:
        """Give when it is due, in seconds after the begin."""
        return number / self.rate

    def due_by(self, elapsed_s: float) -> int:
        """Give how many are due so long after the begin: those with `due_s` up to then."""
        count = max(int(elapsed_s * self.rate) + 1, 0)
        # What division and multiplication round differently is set right here, by one at most.
        while count and self.due_s(count - 1) > elapsed_s:
            count -= 1
        while self.due_s(count) <= elapsed_s:
            count += 1
        return count
