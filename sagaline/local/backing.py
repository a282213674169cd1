"""What a platform asks of its backing services, Kafka and PostgreSQL, wherever these run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from sagaline.local.platform_config import ServerPorts
from sagaline.local.state_directory import StateDirectory


class BackingServer(Protocol):
    """A server on 127.0.0.1:`port`; calls block."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def port(self) -> int:
        """Where clients find it."""

    @property
    def log(self) -> Path:
        """The file that errors point to."""

    @property
    def pid(self) -> int | None:
        """Its process, if that is one of this machine's and runs."""

    @property
    def running(self) -> bool:
        """Whether the server that start() started still runs."""

    def require_ports(self) -> None:
        """Its ports are free, at this moment. Raises PortTaken."""

    def start(self) -> None:
        """Start it on its data, made first if need be; it is ready then. Raises ServerFailed."""

    def stop(self) -> None:
        """Stop it in an orderly way; its data is kept for another start()."""

    def kill(self) -> None:
        """End it as a kill -9 does; its data is kept for another start()."""

    def end(self, *, patience_s: float) -> None:
        """It is needed no more, even if another thread is in start(): kill it after that time."""


class KafkaServer(BackingServer, Protocol):
    """The broker."""

    @property
    def bootstrap(self) -> str:
        """The address that clients are given."""


class PostgresServer(BackingServer, Protocol):
    """The database server."""

    @property
    def password(self) -> str:
        """The password of every role here; it exists once the server was started."""

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Give the address of `database` for `user`, with the password in it."""

    def run_script(self, script: Path, environment: Mapping[str, str]) -> None:
        """Run a psql script as the superuser; `environment` is what its \\getenv finds."""

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement as the superuser, outside a transaction block."""


MakeServers: TypeAlias = Callable[[ServerPorts, StateDirectory], tuple[KafkaServer, PostgresServer]]
