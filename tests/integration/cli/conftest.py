"""One platform that `sagactl up` runs, for all tests of the commands that talk to one."""

from collections.abc import Iterator

import pytest

from tests.integration.cli.folder import Folder, a_folder, running


@pytest.fixture(scope="package")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A platform that `sagactl up` runs."""
    folder = a_folder(tmp_path_factory.mktemp("up"))
    with running(folder, "--state", str(folder.state), SAGALINE_LOG_LEVEL="DEBUG"):
        yield folder


@pytest.fixture
def lamp(up: Folder) -> str:
    """A SKU with 10 units on its shelf."""
    units = ("--on-hand", "10", "--price-minor", "4900", "--currency", "EUR")
    assert up.run("stock", "set", "LAMP-1", *units).returncode == 0
    return "LAMP-1"
