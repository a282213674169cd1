"""What a supervisor left running in its state directory, because it was killed; and how to end it.

Services are tied to their supervisor by the kernel, and Kafka and PostgreSQL by their guards, so
this finds something only in the seconds after a kill, or where that kill reached the guards too.
"""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sagaline.local.postgres import Postgres
from sagaline.local.process_key import ProcessKey
from sagaline.local.run_file import RunFile
from sagaline.local.state_directory import PlatformRuns, StateDirectory

POLL_S = 0.05
KILL_TIMEOUT_S = 5.0
SERVERS_TIMEOUT_S = 12.0  # a guard stops its server within 8 s, when the supervisor is gone
THROW_AWAY = "sagaline-platform-"


def end(state: StateDirectory) -> None:
    """No process that the directory tells of is left. Call it as the directory's owner."""
    written = RunFile.read(state.path)
    services = written.service_processes() if written else []
    for process in services:
        process.signal_group(signal.SIGKILL)
    guards, servers = _servers(state)
    # Guards whose supervisor is gone stop their servers in good order; that deserves patience.
    _wait_for(lambda: not any(p.lives() for p in guards), SERVERS_TIMEOUT_S)
    for process in (*guards, *servers):
        process.signal(signal.SIGKILL)
    left = (*services, *guards, *servers)
    _wait_for(lambda: not any(p.lives() for p in left), KILL_TIMEOUT_S)
    RunFile.remove(state.path)


def take_down(state: StateDirectory, *, timeout_s: float) -> int | None:
    """Nothing runs in the directory: give the pid of its supervisor, None if there was none.

    A supervisor that takes longer than `timeout_s` to stop is killed.
    """
    owner = state.owner()
    if owner is not None:
        os.kill(owner, signal.SIGTERM)
        if not _wait_for(lambda: state.owner() is None, timeout_s):
            os.kill(owner, signal.SIGKILL)
            _wait_for(lambda: state.owner() is None, KILL_TIMEOUT_S)
    if state.path.exists():
        with state.owned(os.getpid()):
            end(state)
    return owner


def throw_away_directory() -> StateDirectory:
    """Make an empty state directory; those of throw-away platforms that were killed are removed."""
    for path in Path(tempfile.gettempdir()).glob(THROW_AWAY + "*"):
        if path.stat().st_uid == os.geteuid():
            _remove_abandoned(StateDirectory(path))
    directory = Path(tempfile.mkdtemp(prefix=THROW_AWAY))
    directory.chmod(0o711)  # where we are root, PostgreSQL's user passes through
    return StateDirectory(directory)


def _remove_abandoned(state: StateDirectory) -> None:
    try:
        with state.owned(os.getpid()):
            end(state)
            shutil.rmtree(state.path, ignore_errors=True)
    except (PlatformRuns, FileNotFoundError):
        pass  # it is in use, or somebody else has just removed it


def _servers(state: StateDirectory) -> tuple[list[ProcessKey], list[ProcessKey]]:
    """Give guards and servers, from the files that the guards write."""
    guards, servers = [], []
    # PostgreSQL's may be elsewhere, where its user can reach it.
    for directory in (state.kafka, Postgres(state.postgres, port=0).directory):
        try:
            pids = json.loads((directory / "pid").read_text())
        except (FileNotFoundError, ValueError):
            continue
        guards.append(ProcessKey(*pids["guard"]))
        servers.append(ProcessKey(*pids["server"]))
    return _living(guards), _living(servers)


def _living(processes: Iterable[ProcessKey]) -> list[ProcessKey]:
    return [process for process in processes if process.lives()]


def _wait_for(met: Callable[[], bool], timeout_s: float) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not met():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(POLL_S)
    return True
