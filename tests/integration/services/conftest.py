"""A migrated database of its own for each test."""

import pytest

from sagaline.testing import Databases
from tests.integration.services import stage


@pytest.fixture
def opened(databases: Databases) -> stage.Opened:
    """Open a new database of a service, as its application role."""
    return databases.opened
