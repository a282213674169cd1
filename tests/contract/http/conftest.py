"""Connections for the room's tests."""

from collections.abc import Iterator

import pytest
import requests
from _pytest.nodeid import NodeId
from schemathesis.pytest.plugin import SchemathesisFunction


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each operation is a test of its own; of those with one id, workers would run only one."""
    for item in items:
        if isinstance(item, SchemathesisFunction):
            # It gives each test its name, but pytest makes the id of a function without it.
            item._id = NodeId.parse(f"{item.path.relative_to(item.config.rootpath)}::{item.name}")


@pytest.fixture(scope="session")
def http() -> Iterator[requests.Session]:
    """Connections that are kept, and know of no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        yield session
