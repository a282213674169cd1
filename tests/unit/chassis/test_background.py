import asyncio

import pytest

from sagaline.chassis import logs
from sagaline.chassis.background import Background, TaskFailed


async def forever() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise ZeroDivisionError


async def test_a_task_that_fails_stops_its_service_and_is_named() -> None:
    stopping = asyncio.Event()
    background = Background(stopping, logs.logger("lamps"))
    background.start("wick", broken())
    await stopping.wait()
    with pytest.raises(TaskFailed, match="wick"):
        background.raise_failure()


async def test_a_task_that_somebody_else_cancels_is_not_missed_in_silence() -> None:
    async def cancelled_by_a_library() -> None:
        raise asyncio.CancelledError

    stopping = asyncio.Event()
    background = Background(stopping, logs.logger("lamps"))
    background.start("wick", cancelled_by_a_library())
    await stopping.wait()
    with pytest.raises(TaskFailed, match="wick"):
        background.raise_failure()


async def test_a_task_that_ends_by_itself_is_no_failure() -> None:
    stopping, done = asyncio.Event(), asyncio.Event()

    async def brief() -> None:
        done.set()

    background = Background(stopping, logs.logger("lamps"))
    background.start("match", brief())
    await done.wait()
    await background.end("match", within_ms=1_000)
    background.raise_failure()
    assert not stopping.is_set()


async def test_a_task_that_is_late_to_end_is_cancelled() -> None:
    background = Background(asyncio.Event(), logs.logger("lamps"))
    background.start("glow", forever())
    await background.end("glow", within_ms=1)
    background.start("glow", forever())  # its name is free again
    await background.close()
    background.raise_failure()


async def test_waiting_for_an_event_ends_with_a_stop() -> None:
    stopping = asyncio.Event()
    background = Background(stopping, logs.logger("lamps"))
    background.start("wick", broken())
    await background.until(asyncio.Event())
    assert stopping.is_set()
