"""What a load is to be: how orders come, for how long, and what is read beside them."""

from dataclasses import dataclass

from sagaline.local.load.arrivals import Arrivals, ClosedLoop, NoArrivals, OpenLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A closed loop (`in_flight`), an open one (`rate`), or, with neither, an idle platform.

    The steady window after the warm-up ends after `seconds`, or with the last of `orders`.
    """

    in_flight: int | None = None
    rate: float | None = None
    orders: int | None = None
    seconds: float | None = None
    warm_up_s: float = 5.0
    declined_percent: float = 0.0
    reads: float = 0.0
    open_max: int = 2_000
    within_s: float = 60.0  # what is still open so long after it was due is given up

    def __post_init__(self) -> None:
        assert self.in_flight is None or self.rate is None, self
        assert (self.orders is None) != (self.seconds is None), self
        assert self.orders is None or self.in_flight is not None, self

    @property
    def mode(self) -> str:
        """`closed`, `open` or `idle`."""
        return "closed" if self.in_flight else "open" if self.rate else "idle"

    def arrivals(self) -> Arrivals:
        """Give how the orders come."""
        if self.in_flight is not None:
            return ClosedLoop(self.in_flight)
        return OpenLoop(self.rate, open_max=self.open_max) if self.rate else NoArrivals()
