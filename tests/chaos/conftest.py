"""Recovery times of the platform, printed at the end of the run: nobody asserts them."""

import time
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.chaos.market")  # its audit says what is wrong

LINES: pytest.StashKey[list[str]] = pytest.StashKey()


class Stopwatch:
    """Seconds since a fault was over."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self._name = name
        self._lines = lines
        self._begin_s = time.monotonic()

    def start(self) -> None:
        """From now on."""
        self._begin_s = time.monotonic()

    def note(self, what: str) -> None:
        """This has come about; printed with the other lines of the run."""
        self._lines.append(f"{time.monotonic() - self._begin_s:6.1f} s  {self._name}: {what}")


@pytest.fixture
def stopwatch(request: pytest.FixtureRequest) -> Stopwatch:
    """The test's own."""
    return Stopwatch(request.node.name, request.config.stash.setdefault(LINES, []))


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Print what the stopwatches noted."""
    lines = terminalreporter.config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("recovery")
        for line in lines:
            terminalreporter.write_line(line)
    yield
