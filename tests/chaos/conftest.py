"""Recovery times of the platform, printed at the end of the run: nobody asserts them."""

import time
from collections.abc import Callable

import pytest

pytest.register_assert_rewrite("tests.chaos.market")  # its audit says what is wrong


class Stopwatch:
    """Seconds since a fault was over."""

    def __init__(self, name: str, tell: Callable[[str], None]) -> None:
        self._name = name
        self._tell = tell
        self._begin_s = time.monotonic()

    def start(self) -> None:
        """From now on."""
        self._begin_s = time.monotonic()

    def note(self, what: str) -> None:
        """This has come about; printed with the other lines of the run."""
        self.tell(time.monotonic() - self._begin_s, what)

    def tell(self, seconds: float, what: str) -> None:
        """That took so long."""
        self._tell(f"{seconds:6.1f} s  {self._name}: {what}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make chaos` takes the long form."""
    parser.addoption(
        "--long-drill",
        action="store_true",
        help="strike with every fault among 500 running orders, and let services stand for 60 s",
    )


@pytest.fixture
def stopwatch(request: pytest.FixtureRequest, tell: Callable[[str], None]) -> Stopwatch:
    """The test's own."""
    return Stopwatch(request.node.name, tell)
