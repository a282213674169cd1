"""What this suite needs of an environment that not every one has."""

import pytest

from sagaline.local.embedded import EmbeddedPlatform
from sagaline.testing import Environment

pytest.register_assert_rewrite("tests.chaos.market")  # its audit says what is wrong


@pytest.fixture
def own_processes(environment: Environment) -> None:
    """The services are processes that the test may replace."""
    if not isinstance(environment, EmbeddedPlatform):
        pytest.skip("the services of this environment run in containers")
