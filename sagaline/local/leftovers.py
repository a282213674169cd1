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
    for path, server in servers_written(state):
        if not server.lives():
            path.unlink(missing_ok=True)
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


def servers_written(state: StateDirectory) -> list[tuple[Path, ProcessKey]]:
    """Give Kafka's and PostgreSQL's processes by the pid files that tell of them, dead ones, too.

    The guards write these files, and remove them when a server ends in good order.
    """
    return [(path, server) for path, _, server in _pid_files(state)]


def _servers(state: StateDirectory) -> tuple[list[ProcessKey], list[ProcessKey]]:
    """Give guards and servers that still live."""
    written = _pid_files(state)
    return _living(guard for _, guard, _ in written), _living(server for _, _, server in written)


def _pid_files(state: StateDirectory) -> list[tuple[Path, ProcessKey, ProcessKey]]:
    """Give what stands there: each file with its guard and its server."""
    found = []
    for path in (state.kafka / "pid", postgres_directory(state) / "pid"):
        try:
            pids = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            continue
        found.append((path, ProcessKey(*pids["guard"]), ProcessKey(*pids["server"])))
    return found


def postgres_directory(state: StateDirectory) -> Path:
    """Give where PostgreSQL's data is: it may be elsewhere, where its user can reach it."""
    return Postgres(state.postgres, port=0).directory


def _living(processes: Iterable[ProcessKey]) -> list[ProcessKey]:
    return [process for process in processes if process.lives()]


def _wait_for(met: Callable[[], bool], timeout_s: float) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not met():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(POLL_S)
    return True
