"""Waiting at a start for what is not there yet: a database or a broker that starts beside us."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from structlog.typing import FilteringBoundLogger

from sagaline.chassis.deadline import within
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.faults import passing

FIRST_MS = 100
MOST_MS = 2_000

# SQLSTATEs: a wrong password, a role that may not, a database that isn't there, a missing right.
REFUSALS = frozenset({"28P01", "28000", "3D000", "42501"})

T = TypeVar("T")


class Unreachable(PlatformError):
    """{what} can't be reached, after {wait_ms} ms of tries: {reason}."""

    status = 503


class Refused(PlatformError):
    """{what} is there, and refuses us: {reason}. Look at the settings."""


class StoppedWaiting(PlatformError):
    """{what} had not been reached yet when the stop came."""


async def patiently(
    work: Callable[[], Awaitable[T]],
    *,
    what: str,
    wait_ms: int,
    log: FilteringBoundLogger,
    stopping: asyncio.Event,
) -> T:
    """What `work` gives, tried again while its error is one that passes.

    Raises Unreachable when `wait_ms` are over, Refused by a database that doesn't know us,
    StoppedWaiting at a stop; other errors as they come.
    """
    loop = asyncio.get_running_loop()
    until_s = loop.time() + wait_ms / 1000
    pause_ms = FIRST_MS
    while True:
        try:
            return await work()
        except Exception as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            if _refused(error):
                raise Refused(what=what, reason=reason) from error
            if not passing(error):
                raise
            if loop.time() >= until_s:
                raise Unreachable(what=what, wait_ms=wait_ms, reason=reason) from error
        log.warning("waiting", what=what, reason=reason, again_in_ms=pause_ms)
        if await within(stopping, pause_ms):
            raise StoppedWaiting(what=what)
        pause_ms = min(2 * pause_ms, MOST_MS)


def _refused(error: Exception) -> bool:
    said = error.orig if isinstance(error, DBAPIError) else error  # Core wraps what the driver says
    return getattr(said, "sqlstate", None) in REFUSALS
