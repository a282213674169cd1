"""One service's process: started, watched, started again with backoff when it dies, ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagaline.local import service_log, tether
from sagaline.local.happenings import Died, Ended, Started
from sagaline.local.process_key import ProcessKey

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 10.0
STEADY_S = 30.0  # whoever lived for so long starts again with the first, short pause
TAIL_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What runs a process: `python -m ARGUMENTS` in `directory`, its output going to `log`."""

    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(repr=False)  # it has passwords in it
    log: Path

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, in a process group of its own, so that Ctrl-C is the supervisor's alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        tethered = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*tethered, sys.executable, "-m", *self.arguments],
                cwd=self.directory,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


class Child:
    """A service's process, brought a step closer to what is wanted by each call of step().

    One thread owns it: the kernel kills the process when the thread that started it ends.
    """

    def __init__(self, service: str, program: Program, *, grace_s: float) -> None:
        """`grace_s`: how long an orderly end may take before it is a kill."""
        self.service = service
        self._program = program
        self._grace_s = grace_s
        self._process: subprocess.Popen[bytes] | None = None
        self._key: ProcessKey | None = None
        self._started_s = 0.0
        self._start_due_s = 0.0
        self._kill_due_s: float | None = None
        self._killed = False
        self.deaths = 0
        self._log_begin = 0

    @property
    def key(self) -> ProcessKey | None:
        """The running process, if there is one."""
        return self._key

    def step(self, *, wanted: bool, now_s: float) -> Started | Died | Ended | None:
        """Start, ask to end, kill, or take note of an end, whatever is due at `now_s`."""
        if self._process is None:
            return self._start(now_s) if wanted and now_s >= self._start_due_s else None
        exit_code = self._process.poll()
        if exit_code is None:
            if not wanted:
                self._press_to_end(now_s)
            return None
        self._process = self._key = self._kill_due_s = None
        if not wanted:
            self.deaths, self._start_due_s = 0, 0.0
            return Ended(self.service, killed=self._killed)
        return self._died(exit_code, now_s)

    def _start(self, now_s: float) -> Started:
        service_log.make_room(self._program.log)
        self._log_begin = service_log.size(self._program.log)
        self._process = self._program.start()
        self._key = ProcessKey.of(self._process.pid)
        assert self._key is not None, "a child that nobody waited for has an entry in /proc"
        self._started_s, self._killed = now_s, False
        return Started(self.service, self._key)

    def _press_to_end(self, now_s: float) -> None:
        assert self._process is not None
        if self._kill_due_s is None:
            self._kill_due_s = now_s + self._grace_s
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)  # one that is paused would not hear it
        elif now_s >= self._kill_due_s and not self._killed:
            self._killed = True
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        # Its session, and so its group, exists before Popen returns; it is not reaped yet.
        os.killpg(self._process.pid, number)

    def _died(self, exit_code: int, now_s: float) -> Died:
        steady = now_s - self._started_s >= STEADY_S
        self.deaths = 1 if steady else self.deaths + 1
        pause_s = min(BACKOFF_FIRST_S * 2 ** (self.deaths - 1), BACKOFF_MAX_S)
        self._start_due_s = now_s + pause_s
        tail = service_log.tail(self._program.log, TAIL_LINES, since=self._log_begin)
        return Died(self.service, exit_code, pause_s, self.deaths, tuple(tail))
