"""A purge removes what a platform kept, and refuses where anything else is concerned."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagaline.local.purge import HeldByOthers, NotOurs, kept, purge
from sagaline.local.state_directory import PlatformRuns, StateDirectory


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    """As a platform leaves it."""
    tmp_path.chmod(0o711)
    made = StateDirectory(tmp_path / "state")
    for folder in (made.kafka, made.postgres, made.logs):
        folder.mkdir(parents=True)
    (made.logs / "order_service.log").write_text("{}\n")
    with made.owned(os.getpid()):
        return made


@pytest.fixture
def reader(state: StateDirectory) -> Iterator["subprocess.Popen[bytes]"]:
    """Somebody who reads a log."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    with (state.logs / "order_service.log").open() as log:
        reader = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert reader.stdin is not None
    assert reader.stdout is not None
    with reader.stdin, reader.stdout:
        reader.stdout.readline()
        yield reader
    reader.wait()


def test_all_that_was_kept_is_removed(state: StateDirectory) -> None:
    folders = purge(state)
    assert state.path in folders
    assert not any(folder.exists() for folder in folders)
    assert purge(state) == []


def test_a_folder_with_anything_else_in_it_is_left_alone(state: StateDirectory) -> None:
    (state.path / "thesis.tex").write_text("years of work")
    for refused in (kept, purge):
        with pytest.raises(NotOurs, match=r"thesis\.tex"):
            refused(state)
    assert state.logs.exists()


def test_a_folder_that_somebody_else_uses_is_left_alone(
    state: StateDirectory, reader: "subprocess.Popen[bytes]"
) -> None:
    with pytest.raises(HeldByOthers, match=f"process {reader.pid}"):
        purge(state)
    assert (state.logs / "order_service.log").exists()


def test_a_platform_that_runs_is_left_alone(state: StateDirectory) -> None:
    with state.owned(os.getpid()), pytest.raises(PlatformRuns):
        purge(state)
    assert state.logs.exists()


def test_where_nothing_was_kept_nothing_is_made(tmp_path: Path) -> None:
    assert purge(StateDirectory(tmp_path / "none")) == []
    assert not (tmp_path / "none").exists()
