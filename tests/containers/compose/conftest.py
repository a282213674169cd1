"""One project of compose.yaml for all tests here: where this suite runs is not a choice."""

import pytest

from sagaline.testing import Environment
from tests.containers.compose.composed import COMPOSE, Composed


@pytest.fixture(scope="session")
def environment_name() -> str:
    """Whatever the command line says."""
    return COMPOSE


@pytest.fixture
def composed(environment: Environment) -> Composed:
    """All of it is up and healthy, from an image of this checkout."""
    if not isinstance(environment, Composed):
        pytest.skip("another environment runs in this session")
    return environment
