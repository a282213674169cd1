"""`sagactl` in a process of its own, forked from one that has imported it already.

To a test it is what a shell would start, but that takes a second of a processor a time.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagaline.cli import main

FORK_SERVER = multiprocessing.get_context("forkserver")
# Besides the commands, what some of them import late, each for a second or so.
FORK_SERVER.set_forkserver_preload(
    [
        __name__,
        "sagaline.cli.app",
        "sagaline.local.doctor.examination",
        "sagaline.chassis.replay_api",
        "schemas",
    ]
)


def run_command(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `sagactl` with these arguments in that folder. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as said:
        out, err = Path(said, "out"), Path(said, "err")
        process = FORK_SERVER.Process(
            target=_run, args=(list(arguments), folder, dict(environment), out, err)
        )
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["sagactl", *arguments], timeout_s)
        exit_code = process.exitcode
        process.close()
        return subprocess.CompletedProcess(arguments, exit_code, out.read_text(), err.read_text())


def _run(
    arguments: list[str], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> None:
    """In the forked process."""
    for path, descriptor in ((os.devnull, 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["sagactl", *arguments]
    main()
