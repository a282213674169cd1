"""One server process of the embedded platform, in a directory of its own: start, stop, kill, pause.

The directory holds `data`, `log`, `made` (written last when the data was made: without it, data is
half-made and made anew) and, while the server runs, `pid`. A guard process stands between: the
server ends with whoever started it, however that one ends. Calls block; use them from a thread in
asyncio programs.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from sagaline.local import guard
from sagaline.local.errors import AlreadyRunning, PortTaken, ServerFailed
from sagaline.local.ports import LOOPBACK, require_free
from sagaline.local.process_key import ProcessKey

POLL_S = 0.02
TAIL_LINES = 15


class Server(ABC):
    """A server that runs in `directory`, as a child of this process, from start() to stop()."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_timeout_s: ClassVar[float] = 8.0

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        setting: str,
        start_timeout_s: float,
        throw_away: bool,
    ) -> None:
        """`setting` is the name of the setting that moves `port`, for the error that says so.

        `throw_away`: the directory is removed when this process is killed.
        """
        self.directory = directory.resolve()
        self.port = port
        self.log = self.directory / "log"
        self.pid: int | None = None
        self._setting = setting
        self._start_timeout_s = start_timeout_s
        self._throw_away = throw_away
        self._guard: subprocess.Popen[bytes] | None = None
        self._maker: subprocess.Popen[str] | None = None

    # --- what a kind of server says of itself

    @abstractmethod
    def make(self) -> None:
        """Make `directory/data`, which doesn't exist."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Give the command line of the server; write the files that it reads."""

    @abstractmethod
    def is_ready(self, log: str) -> bool:
        """Say whether the server answers now; `log` is what it has said since it was started."""

    def environment(self) -> Mapping[str, str]:
        """Give the server's environment: none of ours leaks into it unless it is named here."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def user(self) -> tuple[int, int] | None:
        """Give uid and gid to run as, or None for our own."""
        return None

    # --- life

    @property
    def running(self) -> bool:
        """Whether the server that start() started still runs."""
        return self._guard is not None and self._guard.poll() is None

    def require_ports(self) -> None:
        """Its ports are free, at this moment. Raises PortTaken."""
        require_free(self.port, server=self.name, setting=self._setting)

    def start(self) -> None:
        """Start the server on its data, made first if need be; when it returns, it is ready.

        Raises PortTaken, AlreadyRunning, ServerFailed.
        """
        assert not self.running, self.name
        self.stop()  # it may have ended by itself
        self.directory.mkdir(parents=True, exist_ok=True)
        self._end_orphan()
        self.require_ports()
        made = self.directory / "made"
        if not made.exists():
            shutil.rmtree(self.directory / "data", ignore_errors=True)
            self.make()
            made.touch()
        begin = self.log.stat().st_size if self.log.exists() else 0
        self._guard = self._start_guard()
        self._wait_until_ready(self._guard, begin)

    def stop(self) -> None:
        """Stop the server in an orderly way; killed if that takes longer than `stop_timeout_s`.

        Called while another thread is in start() and makes the data, it ends that.
        """
        if (maker := self._maker) is not None:
            maker.kill()  # half-made data is made anew
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        if self.running:
            try:
                self._guard.stdin.write(guard.KEEP)
            except BrokenPipeError:  # it ended between the question and the write
                pass
        self._guard.stdin.close()
        self._guard.wait()
        self._guard = self.pid = None

    def kill(self) -> None:
        """End the server as a kill -9 does; its data stays as it was, for another start()."""
        self._signal(signal.SIGKILL)
        assert self._guard is not None
        self._guard.wait()
        self.stop()

    def end(self, *, patience_s: float) -> None:
        """Stop it in an orderly way; kill it after that time, at once if nobody needs its data."""
        patience_s = 0.0 if self._throw_away else patience_s
        impatience = threading.Timer(patience_s, self._kill_process)
        impatience.daemon = True
        impatience.start()
        self.stop()
        impatience.cancel()

    def pause(self) -> None:
        """Freeze the server: connections stay, nothing is answered, until resume()."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- inside

    def make_by(self, command: Sequence[str | Path], *, lack: str) -> None:
        """`command` was run to its end, by the server's user. Raises ServerFailed, with `lack`."""
        user, group = self.user() or (None, None)
        with subprocess.Popen(
            command,
            cwd=self.directory,
            env=dict(self.environment()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        ) as maker:
            self._maker = maker
            try:
                said, _ = maker.communicate()
            except BaseException:  # a Ctrl-C, say: nobody is to wait for it
                maker.kill()
                raise
            finally:
                self._maker = None
        if maker.returncode != 0:
            raise self.failed(lack, said)

    def _kill_process(self) -> None:
        process = None if self.pid is None else ProcessKey.of(self.pid)
        if process is not None:
            process.signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        assert self.running, self.name
        assert self.pid is not None
        os.kill(self.pid, number)

    def _start_guard(self) -> "subprocess.Popen[bytes]":
        user, group = self.user() or (None, None)
        spec = guard.Spec(
            command=list(self.command()),
            directory=str(self.directory),
            environment=dict(self.environment()),
            user=user,
            group=group,
            stop_signal=self.stop_signal,
            stop_timeout_s=self.stop_timeout_s,
            throw_away=self._throw_away,
        )
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # a Ctrl-C in the terminal is for us, not for the servers
        )
        assert process.stdout is not None
        with process.stdout:
            line = process.stdout.readline()
        self.pid = int(line) if line else None
        return process

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", begin: int) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        while not self.is_ready(said := self._log_since(begin)):
            if process.poll() is not None:
                self.stop()
                if "Address already in use" in said:  # taken since we looked
                    raise PortTaken(
                        port=self.port, host=LOOPBACK, server=self.name, setting=self._setting
                    )
                raise self.failed("ended before it was ready", said)
            if time.monotonic() > deadline:
                self.stop()
                raise self.failed(f"was not ready within {self._start_timeout_s:.0f} s", said)
            time.sleep(POLL_S)

    def failed(self, what: str, said: str) -> ServerFailed:
        """Give the error that shows the end of what the server said."""
        tail = "\n    ".join(said.splitlines()[-TAIL_LINES:])
        return ServerFailed(server=self.name, what=what, log=self.log, tail=tail)

    def _log_since(self, begin: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    def _end_orphan(self) -> None:
        """End a server whose guard was killed, and forget pids of processes that are gone."""
        pid_file = self.directory / "pid"
        try:
            pids = json.loads(pid_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return
        server, guardian = ProcessKey(*pids["server"]), ProcessKey(*pids["guard"])
        if guardian.lives():
            raise AlreadyRunning(server=self.name, directory=self.directory, pid=server.pid)
        server.signal(signal.SIGKILL)
        while server.lives():
            time.sleep(POLL_S)
        pid_file.unlink(missing_ok=True)
