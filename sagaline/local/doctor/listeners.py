"""Who listens on the ports of sagaline.toml."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

import psutil

from sagaline.local.doctor.finding import STATUS, Finding, unless, wrong
from sagaline.local.platform_config import FILENAME, PlatformConfig
from sagaline.local.ports import is_free

ABOUT = "ports"


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listens; `pid` is None where its owner is another user."""

    pid: int | None
    name: str

    def __str__(self) -> str:
        return "a process of another user" if self.pid is None else f"{self.name} ({self.pid})"


def examine(config: PlatformConfig, *, runs: bool, ours: Set[int]) -> list[Finding]:
    """Look at every port. Those of a platform that `runs` are to be held by the processes `ours`;

    those of one that was killed may be: what it left is told of elsewhere.
    """
    ports, found = wanted(config), listeners()
    faults = list(_faults(ports, found, runs=runs, ours=ours))
    held = "held by this platform" if runs else "free" if not ours else "free, or left behind"
    return unless(faults, ABOUT, f"{len(ports)} of {FILENAME}, {held}")


def wanted(config: PlatformConfig) -> dict[int, str]:
    """Give the platform's ports, each with the setting that moves it."""
    servers = {
        config.ports.postgres: "postgres",
        config.ports.kafka: "kafka",
        config.ports.kafka_controller: "kafka_controller",
    }
    ports = {port: f"ports.{name} in {FILENAME}" for port, name in servers.items()}
    for service in config.services:
        ports |= {port: setting for setting, port in service.ports.items()}
    return ports


def listeners() -> dict[int, Listener]:
    """Give who listens on TCP, by port."""
    found = {}
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr:
            found[connection.laddr.port] = Listener(connection.pid, _name(connection.pid))
    return found


def _faults(
    ports: Mapping[int, str], found: Mapping[int, Listener], *, runs: bool, ours: Set[int]
) -> Iterator[Finding]:
    for port, setting in ports.items():
        listener = found.get(port)
        if listener is not None and listener.pid in ours:
            continue
        if listener is not None or not is_free(port):
            holder = listener or "a connection, or a process that can't be seen"
            yield wrong(ABOUT, f"{port} is held by {holder}", f"end it, or move {setting}")
        elif runs:
            text = f"nobody listens on {port} ({setting.partition(' in ')[0]})"
            yield wrong(ABOUT, text, STATUS)


def _name(pid: int | None) -> str:
    try:
        return "" if pid is None else psutil.Process(pid).name()
    except psutil.Error:  # it has just ended
        return "process"
