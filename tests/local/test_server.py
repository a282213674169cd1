"""What a server does about pids, ports and data that an earlier life left behind."""

import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import pytest

from sagaline.local import guard
from sagaline.local.errors import AlreadyRunning, PortTaken, ServerFailed
from sagaline.local.ports import LOOPBACK, free_port
from sagaline.local.server import Server

LISTENER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    listener.accept()[0].close()
"""


class Listener(Server):
    """The smallest server: listens, and keeps one file as its data."""

    name: ClassVar[str] = "Listener"
    stop_timeout_s: ClassVar[float] = 3.0
    program = LISTENER

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(
            directory, port=port, setting="ports.listener", start_timeout_s=10, throw_away=False
        )
        self.times_made = 0

    def make(self) -> None:
        self.times_made += 1
        (self.directory / "data").mkdir()

    def command(self) -> Sequence[str]:
        return [sys.executable, "-I", "-S", "-c", self.program, str(self.port)]

    def is_ready(self, log: str) -> bool:
        return "listening" in log


class SlowlyMade(Listener):
    """One whose data would take a minute."""

    def make(self) -> None:
        self.make_by(["sleep", "60"], lack="could not make it")


@pytest.fixture
def listener(folder: Path) -> Iterator[Listener]:
    server = Listener(folder, free_port(random.SystemRandom()))
    yield server
    server.stop()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives on, unless somebody ends it."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def write_pids(directory: Path, *, server: Sequence[int], guardian: Sequence[int]) -> None:
    (directory / "pid").write_text(json.dumps({"server": server, "guard": guardian}))


def test_data_is_made_once_and_outlives_stops_and_kills(listener: Listener) -> None:
    listener.start()
    (listener.directory / "data" / "row").touch()
    listener.kill()
    assert not listener.running
    listener.start()
    listener.stop()
    listener.start()
    assert (listener.directory / "data" / "row").exists()
    assert listener.times_made == 1


def test_half_made_data_is_made_anew(listener: Listener) -> None:
    (listener.directory / "data").mkdir()
    (listener.directory / "data" / "half").touch()
    listener.start()
    assert listener.times_made == 1
    assert not (listener.directory / "data" / "half").exists()


def test_a_stop_ends_what_makes_the_data(folder: Path) -> None:
    server = SlowlyMade(folder, free_port(random.SystemRandom()))
    with ThreadPoolExecutor() as beside:
        start = beside.submit(server.start)
        deadline_s = time.monotonic() + 30
        while not start.done() and time.monotonic() < deadline_s:
            server.stop()
            time.sleep(0.02)
        with pytest.raises(ServerFailed, match="could not make it"):
            start.result(0)
    assert not (folder / "made").exists()


def test_a_stale_pid_that_now_is_somebody_elses_is_forgotten_and_nobody_is_ended(
    listener: Listener, stranger: subprocess.Popen[bytes]
) -> None:
    pid, started = guard.process_key(stranger.pid)
    write_pids(listener.directory, server=[pid, started - 1], guardian=[pid, started - 2])
    listener.start()
    assert listener.running
    assert stranger.poll() is None


def test_a_server_whose_guard_is_gone_is_ended_before_the_next_starts(
    listener: Listener, stranger: subprocess.Popen[bytes]
) -> None:
    key = guard.process_key(stranger.pid)
    write_pids(listener.directory, server=key, guardian=[key[0], key[1] - 1])
    listener.start()
    assert stranger.wait(5) == -signal.SIGKILL


def test_a_directory_in_use_is_refused_with_the_pid_of_its_server(listener: Listener) -> None:
    listener.start()
    second = Listener(listener.directory, free_port(random.SystemRandom()))
    with pytest.raises(AlreadyRunning, match=str(listener.pid)):
        second.start()
    assert listener.running


def test_a_taken_port_is_named_with_the_setting_that_moves_it(listener: Listener) -> None:
    with (
        socket.create_server((LOOPBACK, listener.port)),
        pytest.raises(PortTaken, match=rf"{listener.port}.*ports\.listener"),
    ):
        listener.start()
    assert listener.times_made == 0


def test_a_port_taken_between_the_look_and_the_start_is_told_as_taken(listener: Listener) -> None:
    listener.program = "import os; print('Address already in use')"
    with pytest.raises(PortTaken):
        listener.start()


def test_a_server_that_ends_at_once_is_reported_with_the_end_of_its_log(
    listener: Listener,
) -> None:
    listener.program = "raise SystemExit('no space left on device')"
    with pytest.raises(ServerFailed, match="no space left on device"):
        listener.start()
    assert not (listener.directory / "pid").exists()


def test_a_paused_server_can_still_be_stopped(listener: Listener) -> None:
    listener.start()
    listener.pause()
    listener.stop()
    assert not listener.running


def test_a_server_that_ignores_the_stop_is_killed(listener: Listener) -> None:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    listener.program = ignore + LISTENER
    listener.start()
    listener.stop()
    assert not listener.running
