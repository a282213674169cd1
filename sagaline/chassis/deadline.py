"""Waiting for an event, but not for ever."""

import asyncio


async def within(event: asyncio.Event, wait_ms: int) -> bool:
    """Wait until `event` is set, at most `wait_ms`: whether it was."""
    try:
        async with asyncio.timeout(wait_ms / 1000):
            return await event.wait()
    except TimeoutError:
        return False
