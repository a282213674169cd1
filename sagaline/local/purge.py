"""Removes what a platform has kept in its state directory, and nothing else."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from sagaline.chassis.errors import PlatformError
from sagaline.local import leftovers, run_file
from sagaline.local.state_directory import StateDirectory


class NotOurs(PlatformError):
    """{directory} has {names} in it, which no platform puts there: nothing was removed.

    Is it the right directory? If so, move that away first.
    """


class HeldByOthers(PlatformError):
    """{directory} is in use by {name}, process {pid}: nothing was removed. End it first."""


def kept(state: StateDirectory) -> list[Path]:
    """Give the folders that a purge removes; none where nothing was kept.

    PostgreSQL's may be elsewhere, where its user can reach it. Raises NotOurs.
    """
    if not state.path.is_dir():
        return []
    ours = {state.postgres, state.kafka, state.logs, state.path / "pid"}
    ours |= {state.path / name for name in (run_file.NAME, run_file.NAME + ".new")}
    strange = sorted(path.name for path in set(state.path.iterdir()) - ours)
    if strange:
        raise NotOurs(directory=state.path, names=", ".join(strange))
    elsewhere = leftovers.postgres_directory(state)
    outside = elsewhere.is_dir() and not elsewhere.is_relative_to(state.path)
    return [state.path, *([elsewhere] if outside else [])]


def purge(state: StateDirectory) -> list[Path]:
    """Nothing that was kept is left; give what was removed.

    Raises PlatformRuns while a platform runs there, NotOurs, HeldByOthers.
    """
    if not kept(state):
        return []
    with state.owned(os.getpid()):  # nobody starts one meanwhile
        folders = kept(state)
        for folder in folders:
            for process in _holders(folder):
                raise HeldByOthers(directory=folder, name=process.name(), pid=process.pid)
        for folder in reversed(folders):
            shutil.rmtree(folder)
    return folders


def _holders(folder: Path) -> Iterator[psutil.Process]:
    """Give the processes that work in `folder` or have a file there open, but for our own."""
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                places = [process.cwd(), *(file.path for file in process.open_files())]
        except psutil.Error:  # it has just ended, or it is another user's
            continue
        if process.pid != os.getpid() and any(Path(p).is_relative_to(folder) for p in places):
            yield process
