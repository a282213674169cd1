"""All tests here need a Docker engine."""

import random

import pytest

from sagaline.local import ports
from sagaline.testing.containers import engine
from sagaline.testing.environment import NoEngine


@pytest.fixture(scope="session", autouse=True)
def an_engine() -> None:
    try:
        engine.require()
    except NoEngine as error:
        pytest.skip(str(error))


@pytest.fixture
def free_port() -> int:
    return ports.free_port(random.SystemRandom())
