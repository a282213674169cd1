"""A command, and a Tab in a shell, wait for no library that they don't use."""

import subprocess
import sys

import pytest

LOADED = "import sys, sagaline.cli.app; print(*sys.modules)"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """What a process has imported when it knows the command line."""
    program = [sys.executable, "-c", LOADED]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("library", ["alembic", "fastapi", "jgo", "sqlalchemy", "uvicorn"])
def test_no_command_waits_for_what_few_need(library: str, loaded: set[str]) -> None:
    assert library not in loaded
