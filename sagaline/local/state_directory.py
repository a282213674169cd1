"""`.sagaline/`: where a platform keeps its data, logs and pids; one platform at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sagaline.chassis.errors import PlatformError

NAME = ".sagaline"


class PlatformRuns(PlatformError):
    """A platform runs in {directory} already, as process {pid}:
    './sagactl status' shows it, './sagactl down' stops it.
    """


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """The folder `path` and what lies where in it. Nothing is made before it is used."""

    path: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's folder."""
        return self.path / "postgres"

    @property
    def kafka(self) -> Path:
        """Kafka's folder."""
        return self.path / "kafka"

    @property
    def logs(self) -> Path:
        """A file NAME.log for each service."""
        return self.path / "logs"

    @contextmanager
    def owned(self, pid: int) -> Iterator[None]:
        """Inside, no other process runs a platform here. Raises PlatformRuns, with its pid.

        The kernel lets go of it when the process ends, however that happens: a lock is never stale.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o711)  # where we are root, PostgreSQL's user passes through
        with self._lock_file.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PlatformRuns(directory=self.path, pid=self._lock_file.read_text()) from None
            lock.truncate(0)
            lock.write(str(pid))
            lock.flush()
            yield

    def owner(self) -> int | None:
        """Give the pid of the process that runs a platform here, or None if none does."""
        if not self._lock_file.exists():
            return None
        with self._lock_file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or "0") or None
        return None

    @property
    def _lock_file(self) -> Path:
        return self.path / "pid"
