"""Folders of servers, which PostgreSQL's own user can enter where the tests run as root."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that goes away with the test."""
    path = Path(tempfile.mkdtemp(prefix="sagaline-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)
