import asyncio

import pytest

from sagaline.chassis import logs
from sagaline.chassis.patience import StoppedWaiting, Unreachable, patiently

LOG = logs.logger("lamps")


class Harbour:
    """Refuses the first ships."""

    def __init__(self, refusals: int, error: Exception) -> None:
        self.asked = 0
        self._refusals = refusals
        self._error = error

    async def enter(self) -> str:
        self.asked += 1
        if self.asked <= self._refusals:
            raise self._error
        return "in"


async def wait_at(harbour: Harbour, *, wait_ms: int, stopping: asyncio.Event | None = None) -> str:
    return await patiently(
        harbour.enter,
        what="the harbour",
        wait_ms=wait_ms,
        log=LOG,
        stopping=stopping or asyncio.Event(),
    )


async def test_what_is_refused_for_now_is_tried_again() -> None:
    harbour = Harbour(2, ConnectionRefusedError("fog"))
    assert await wait_at(harbour, wait_ms=60_000) == "in"
    assert harbour.asked == 3


async def test_an_error_that_does_not_pass_goes_up_at_once() -> None:
    harbour = Harbour(9, ValueError("no such harbour"))
    with pytest.raises(ValueError, match="no such harbour"):
        await wait_at(harbour, wait_ms=60_000)
    assert harbour.asked == 1


async def test_when_the_time_is_over_the_reason_is_told() -> None:
    with pytest.raises(Unreachable, match=r"the harbour .* fog"):
        await wait_at(Harbour(99, ConnectionRefusedError("fog")), wait_ms=0)


async def test_a_stop_ends_the_wait() -> None:
    stopping = asyncio.Event()
    stopping.set()
    with pytest.raises(StoppedWaiting):
        await wait_at(Harbour(99, ConnectionRefusedError("fog")), wait_ms=60_000, stopping=stopping)
