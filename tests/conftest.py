"""Plugins of the whole suite: servers and platforms start only when a test asks for them."""

from collections.abc import Callable, Iterator

import pytest

pytest_plugins = ["sagaline.testing.plugin", "sagaline.testing.platform"]

TOLD = "told"
# The first ones take longest; what shares one of these fixtures shares a worker.
SHARED = ("embedded_platform", "up")


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A line for the end of the run: figures that a test has found, and asserts nothing of."""
    return lambda line: request.node.user_properties.append((TOLD, line))


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


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of several: one platform for all of them, and no two for a file's servers."""
    if hasattr(config, "workerinput"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(_group(item)))
        items.sort(key=_place)


def _group(item: pytest.Item) -> str:
    shared = _shared(item)
    return SHARED[shared] if shared < len(SHARED) else item.nodeid.partition("::")[0]


def _place(item: pytest.Item) -> tuple[int, bool]:
    """Long before short; the rest stays in its order."""
    return _shared(item), "/unit/" in item.nodeid


def _shared(item: pytest.Item) -> int:
    needs = getattr(item, "fixturenames", ())
    return next((n for n, fixture in enumerate(SHARED) if fixture in needs), len(SHARED))
