"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sagaline.testing.outages import NotSoon

T = TypeVar("T")
POLL_S, WITHIN_S = 0.05, 90.0


async def until(
    ask: Callable[[], Awaitable[T]],
    what: str,
    *,
    within_s: float = WITHIN_S,
    poll_s: float = POLL_S,
) -> T:
    """Wait until `ask` says something true; give it. Raises NotSoon."""
    deadline_s = time.monotonic() + within_s
    while not (found := await ask()):
        if time.monotonic() > deadline_s:
            raise NotSoon(f"waited {within_s:.0f} s until {what}")
        await asyncio.sleep(poll_s)
    return found
