"""The horizon: how far back this service knows what it has done.

See docs/architecture.md, "Retention". A duplicate of what was forgotten would be executed again,
so an older command is not executed at all, and whatever can hold duplicates must forget before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sagaline.chassis.catalog import Topic
from sagaline.chassis.errors import PlatformError


class HorizonTooNear(PlatformError):
    """{topics} may hold records for longer than the {horizon_days} days of the horizon.

    A command that is read after that is parked. Raise SAGALINE_RETENTION_HORIZON_MS, or lower the
    topics' retention.
    """


class BeyondHorizon(PlatformError):
    """The command was written at {time}, before the horizon of {horizon_days} days.

    Whether it was executed then is not known here any more, so it is not executed now.
    """


@dataclass(frozen=True, slots=True)
class Horizon:
    """Commands older than `horizon_ms` are not executed."""

    horizon_ms: int

    @property
    def days(self) -> float:
        """The horizon in days, rounded for people."""
        return round(self.horizon_ms / 86_400_000, 2)

    def covers(self, topics: Iterable[Topic]) -> None:
        """Raises HorizonTooNear if one of these topics may keep records for longer."""
        longer = sorted(topic.name for topic in topics if topic.retention_ms > self.horizon_ms)
        if longer:
            raise HorizonTooNear(topics=", ".join(longer), horizon_days=self.days)

    def check(self, time: datetime, *, now: datetime) -> None:
        """Raises BeyondHorizon for a command that was written too long ago."""
        if time < now - timedelta(milliseconds=self.horizon_ms):
            raise BeyondHorizon(time=time.isoformat(), horizon_days=self.days)
