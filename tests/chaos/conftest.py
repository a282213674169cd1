"""How fast things went on again, at the end of the run: figures that nobody asserts."""

import time
from collections.abc import Callable
from typing import TypeAlias

import pytest

Recovered: TypeAlias = Callable[[str], None]

TIMES: pytest.StashKey[list[str]] = pytest.StashKey()


@pytest.fixture
def recovered(request: pytest.FixtureRequest) -> Recovered:
    """To be called with what has just come about; seconds count from the test's last call.

    The first call, `recovered("")`, begins.
    """
    times = request.config.stash.setdefault(TIMES, [])
    last_s = time.monotonic()

    def note(what: str) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if what:
            times.append(f"{now_s - last_s:6.1f} s  {request.node.name}: {what}")
        last_s = now_s

    return note
