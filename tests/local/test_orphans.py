"""Nobody outlives a killed parent: the real servers, and the folder of a throw-away one."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sagaline.local import guard, throwaway

PARENT = """
import random, signal
from sagaline.local import throwaway
with throwaway.{kind}(random.SystemRandom()) as server:
    print(server.pid, server.directory, flush=True)
    signal.pause()
"""


def eventually(holds: Callable[[], bool], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(pid: int, key: list[int]) -> bool:
    try:
        return guard.process_key(pid) != key
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("kind", ["postgres", "kafka"])
def test_a_killed_parent_leaves_no_server_and_no_folder(kind: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(kind=kind)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, directory = parent.stdout.readline().split()
        key = guard.process_key(int(pid))
        parent.kill()
    assert eventually(lambda: is_gone(int(pid), key), within_s=15)
    assert eventually(lambda: not Path(directory).exists(), within_s=20)


def test_a_killed_guard_takes_its_server_along() -> None:
    with throwaway.postgres(random.SystemRandom()) as server:
        assert server.pid is not None
        key = guard.process_key(server.pid)
        status = Path(f"/proc/{server.pid}/status").read_text()
        guardian = int(status.partition("PPid:")[2].split()[0])
        os.kill(guardian, signal.SIGKILL)
        assert eventually(lambda: is_gone(key[0], key), within_s=10)
        server.start()  # and the next start finds its data whole
        server.execute("SELECT 1")
