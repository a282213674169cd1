"""Prometheus' own tool, which checks configurations, rules and queries."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "deploy" / "observability"
MISSING = "promtool is not installed: it is in Debian's package `prometheus`"


def promtool(*arguments: str | Path) -> str:
    """What it prints, if it finds all in order; fails the test with its complaints otherwise."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip(MISSING)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
