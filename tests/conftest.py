"""Plugins of the whole suite: servers and platforms start only when a test asks for them."""

import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.platform_config import PlatformConfig
from sagaline.testing import Environment
from sagaline.testing.environment import NoEngine
from tests.containers.compose.composed import COMPOSE, Composed, composed_platform
from tests.workers import ByPlatform, place_of, platform_of

pytest_plugins = ["sagaline.testing.plugin", "sagaline.testing.platform"]

# What a killed run left is removed by the next one: testcontainers' own helper, and its image, are
# not needed.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

TOLD = "told"
RUNNING = pytest.StashKey[EmbeddedPlatform]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A line for the end of the run: figures that a test has found, and asserts nothing of."""
    return lambda line: request.node.user_properties.append((TOLD, line))


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest, environment_name: str) -> Environment:
    """The session's platform, until the last of its tests; compose.yaml's is this suite's own."""
    if environment_name == COMPOSE:
        composed: Composed = request.getfixturevalue("composed_environment")
        return composed
    running: Environment = request.getfixturevalue("environment")
    assert isinstance(running, EmbeddedPlatform), running
    request.config.stash[RUNNING] = running
    return running


@pytest.fixture(scope="session")
def composed_environment(platform_config: PlatformConfig) -> Iterator[Composed]:
    """What compose.yaml describes: services in containers, too."""
    try:
        with composed_platform(platform_config) as composed:
            yield composed
    except NoEngine as error:
        pytest.skip(str(error))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A worker has its platform's tests in a row: an idle one would only take their processor."""
    over = nextitem is not None and platform_of(item.nodeid) != platform_of(nextitem.nodeid)
    if over and hasattr(item.config, "workerinput") and RUNNING in item.config.stash:
        item.config.stash[RUNNING].stop()
        del item.config.stash[RUNNING]


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Print what was told."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    told = [line for report in reports for name, line in report.user_properties if name == TOLD]
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)
    yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByPlatform:
    """Workers share tests out by what these share."""
    return ByPlatform(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of several."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place_of(item.nodeid))


def pytest_collection_finish(session: pytest.Session) -> None:
    """No two tests have one id: workers would run only one of them, and say nothing."""
    ids = Counter(item.nodeid for item in session.items)
    twice = sorted(nodeid for nodeid, number in ids.items() if number > 1)
    if twice:
        raise pytest.UsageError(f"tests with the same id, name them apart: {', '.join(twice)}")
