"""sagaline.toml: which services a platform consists of, and which ports its parts listen on."""

import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from sagaline.local.errors import BadPlatformFile, NoSuchService
from sagaline.local.ports import free_port

FILENAME = "sagaline.toml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,55}")  # with `_owner` still a PostgreSQL identifier
OPERATORS_ABOVE = 1_000  # where a service's `operator_port` is, if the file doesn't say
SETTINGS_PREFIX = re.compile(r"SAGALINE_[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """One service: its name is its package, database and consumer group."""

    name: str
    port: int
    operator_port: int
    settings_prefix: str

    @property
    def ports(self) -> dict[str, int]:
        """Its ports, each by where a person moves it."""
        where = f"services.{self.name}.{{}} in {FILENAME}"
        return {
            where.format("port"): self.port,
            where.format("operator_port"): self.operator_port,
        }


@dataclass(frozen=True, slots=True)
class ServerPorts:
    """Ports of the embedded servers."""

    postgres: int
    kafka: int
    kafka_controller: int


@dataclass(frozen=True, slots=True)
class PlatformConfig:
    """A platform: its file lies in `root`, from where the services' packages are imported."""

    root: Path
    schemas: str
    ports: ServerPorts
    services: tuple[ServiceConfig, ...]

    @classmethod
    def find(cls, start: Path) -> Self:
        """Read the nearest sagaline.toml in `start` or above. Raises BadPlatformFile."""
        for folder in (start.resolve(), *start.resolve().parents):
            if (folder / FILENAME).is_file():
                return cls.read(folder / FILENAME)
        raise BadPlatformFile(path=start / FILENAME, reason="neither here nor above is there one")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a platform file. Raises BadPlatformFile, which names the entry at fault."""
        try:
            entries = _Entries(tomllib.loads(path.read_text()), path, "")
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise BadPlatformFile(path=path, reason=error) from error
        ports, services = entries.table("ports"), entries.table("services")
        config = cls(
            root=path.parent.resolve(),
            schemas=entries.text("schemas", NAME),
            ports=ServerPorts(
                postgres=ports.port("postgres"),
                kafka=ports.port("kafka"),
                kafka_controller=ports.port("kafka_controller"),
            ),
            services=tuple(_service(name, services) for name in services.values),
        )
        config._require_distinct_ports(path)
        return config

    def service(self, name: str) -> ServiceConfig:
        """Give the service called `name`. Raises NoSuchService."""
        for service in self.services:
            if service.name == name:
                return service
        raise NoSuchService(service=name)

    def with_free_ports(self, rng: random.Random) -> Self:
        """Give the same platform on ports that are free now, all different."""
        wanted: list[int] = []
        while len(wanted) < 2 * len(self.services) + 3:
            port = free_port(rng)
            if port not in wanted:
                wanted.append(port)
        postgres, kafka, kafka_controller, *others = wanted
        return replace(
            self,
            ports=ServerPorts(postgres, kafka, kafka_controller),
            services=tuple(
                replace(service, port=port, operator_port=operator_port)
                for service, port, operator_port in zip(
                    self.services, others[::2], others[1::2], strict=True
                )
            ),
        )

    def _require_distinct_ports(self, path: Path) -> None:
        ports = [self.ports.postgres, self.ports.kafka, self.ports.kafka_controller]
        ports += [port for service in self.services for port in service.ports.values()]
        twice = {port for port in ports if ports.count(port) > 1}
        if twice:
            raise BadPlatformFile(path=path, reason=f"port {min(twice)} is given away twice")


@dataclass(frozen=True, slots=True)
class _Entries:
    """One table of the file; its readers say where they are when something is wrong."""

    values: Mapping[str, object]
    path: Path
    where: str

    def table(self, key: str) -> "_Entries":
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "a table")
        return _Entries(value, self.path, f"{self.where}{key}.")

    def text(self, key: str, pattern: re.Pattern[str]) -> str:
        value = self.values.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._wrong(key, f"a text like {pattern.pattern}")
        return value

    def port(self, key: str) -> int:
        value = self.values.get(key)
        if not isinstance(value, int) or not 1024 <= value <= 65535:
            raise self._wrong(key, "a port from 1024 to 65535")
        return value

    def _wrong(self, key: str, wanted: str) -> BadPlatformFile:
        found = repr(self.values[key]) if key in self.values else "missing"
        return BadPlatformFile(
            path=self.path, reason=f"{self.where}{key} is {found}, it must be {wanted}"
        )


def _service(name: str, services: _Entries) -> ServiceConfig:
    if not NAME.fullmatch(name):
        raise BadPlatformFile(path=services.path, reason=f"{name} is not a package's name")
    entry = services.table(name)
    port = entry.port("port")
    given = "operator_port" in entry.values
    return ServiceConfig(
        name,
        port=port,
        operator_port=entry.port("operator_port") if given else port + OPERATORS_ABOVE,
        settings_prefix=entry.text("settings", SETTINGS_PREFIX),
    )
