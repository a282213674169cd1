"""Connections for the room's tests."""

from collections.abc import Iterator

import pytest
import requests


@pytest.fixture(scope="session")
def http() -> Iterator[requests.Session]:
    """Connections that are kept, and know of no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        yield session
