"""Runs one server as its child and stops it when whoever asked for it is gone.

Standard library only; started as `python -I guard.py SPEC`, SPEC being JSON. Standard input is a
pipe that the asker holds open: its end, also by a kill -9 of the asker, stops the server. The guard
itself is covered by the kernel: the server gets the stop signal when the guard dies. So nobody
leaves an orphan, and no thread of the asker's needs to outlive anything.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1
ASKER = 0  # standard input
KEEP = b"k"  # an orderly stop: whatever the server wrote stays


class Spec(TypedDict):
    """What to run and how to end it.

    `throw_away`: the directory is removed when the asker was killed.
    """

    command: list[str]
    directory: str
    environment: dict[str, str]
    user: int | None
    group: int | None
    stop_signal: int
    stop_timeout_s: float
    throw_away: bool


def main(spec: Spec) -> int:
    """Run the server to its end; the answer is its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    directory = Path(spec["directory"])
    alive, held_by_server = os.pipe()  # ends when the server and all of its children are gone
    server = start(spec, held_by_server)
    os.close(held_by_server)
    write_pid_file(directory / "pid", server.pid)
    os.write(sys.stdout.fileno(), b"%d\n" % server.pid)
    os.close(sys.stdout.fileno())
    ready, _, _ = select.select([ASKER, alive], [], [])
    orderly = True
    if ASKER in ready:
        orderly = os.read(ASKER, 1) == KEEP
        stop(server, spec, alive)
    code = server.wait()
    (directory / "pid").unlink(missing_ok=True)
    if spec["throw_away"] and not orderly:
        shutil.rmtree(directory, ignore_errors=True)
    return code


def start(spec: Spec, held_by_server: int) -> "subprocess.Popen[bytes]":
    """Start the server, as the user that `spec` names, its output appended to the log."""
    libc = ctypes.CDLL(None, use_errno=True)

    def die_with_the_guard() -> None:
        libc.prctl(PR_SET_PDEATHSIG, spec["stop_signal"])
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with (Path(spec["directory"]) / "log").open("ab") as log:
        return subprocess.Popen(
            spec["command"],
            cwd=spec["directory"],
            env=spec["environment"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[held_by_server],
            user=spec["user"],
            group=spec["group"],
            extra_groups=None if spec["user"] is None else [],
            # Safe, since this process has one thread. It runs after the change of user, which
            # would clear the death signal.
            preexec_fn=die_with_the_guard,  # noqa: PLW1509 (see above)
        )


def stop(server: "subprocess.Popen[bytes]", spec: Spec, alive: int) -> None:
    """Ask the server to stop; kill it when it takes too long. None of its processes are left."""
    server.send_signal(spec["stop_signal"])
    server.send_signal(signal.SIGCONT)  # one that is paused would not hear it
    ended, _, _ = select.select([alive], [], [], spec["stop_timeout_s"])
    if not ended:
        server.kill()
        select.select([alive], [], [], spec["stop_timeout_s"])


def write_pid_file(path: Path, pid: int) -> None:
    """Write both pids, each with its start time, since the kernel uses pids again."""
    pids = {"server": process_key(pid), "guard": process_key(os.getpid())}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(pids))
    fresh.replace(path)


def process_key(pid: int) -> list[int]:
    """Give [pid, start time in clock ticks since boot]: no two processes of one boot share it."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return [pid, int(stat.rpartition(")")[2].split()[19])]


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])) & 0xFF)
