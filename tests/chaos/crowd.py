"""Many people who order at the same time, as a test watches them."""

from tests.chaos.waiting import until


class Crowd:
    """How far the orders of many people at once have come: two advances each, begun and ended."""

    def __init__(self) -> None:
        self._advances = 0

    def advance(self) -> None:
        """One more order was accepted, or has ended."""
        self._advances += 1

    async def advanced(self, advances: int) -> None:
        """Wait for so many."""

        async def enough() -> bool:
            return self._advances >= advances

        await until(enough, f"{advances} orders were accepted or have ended")
