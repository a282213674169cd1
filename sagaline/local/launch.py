"""How the services' programs are started: with which environment, and what is set up before."""

import os
import subprocess
from collections.abc import Iterable, Mapping

from sagaline.chassis.errors import PlatformError
from sagaline.local import service_log
from sagaline.local.child import Program
from sagaline.local.environment import service_environment
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.servers import Servers
from sagaline.local.state_directory import StateDirectory

SETUP_TIMEOUT_S = 90.0
TAIL_LINES = 15
DEFAULTS = {
    # One process each, which finds its partitions again; more of them would only cost.
    "SAGALINE_PROCESS_SLOT": "0",
    "SAGALINE_TOPIC_PARTITIONS": "4",
}
ALWAYS = {"PYTHONUNBUFFERED": "1", "PYTHONOPTIMIZE": ""}  # asserts are part of the program


class SetupFailed(PlatformError):
    """Tables and topics could not be made. The end of the log, {log}:
    {tail}
    """


class Launch:
    """The programs of `config` on `servers`; `settings` win over our own environment."""

    def __init__(
        self,
        config: PlatformConfig,
        state: StateDirectory,
        servers: Servers,
        settings: Mapping[str, str],
    ) -> None:
        self._config = config
        self._state = state
        self._servers = servers
        self._settings = settings

    def programs(self) -> dict[str, Program]:
        """Give what runs each service, by name. PostgreSQL must have been started."""
        return {
            service.name: self._program(service.name, (service.name, "run"), (service.name,))
            for service in self._config.services
        }

    def environment(self, services: Iterable[str]) -> dict[str, str]:
        """Give our own environment, `settings`, then where `services` find what they need."""
        kafka, postgres = self._servers.kafka, self._servers.postgres
        addresses: dict[str, str] = {}
        for name in services:
            service = self._config.service(name)
            addresses |= service_environment(service, kafka=kafka, postgres=postgres)
        return {**DEFAULTS, **os.environ, **self._settings, **addresses, **ALWAYS}

    def set_up(self) -> None:
        """All tables are up to date, all topics exist. Waits for Kafka. Raises SetupFailed."""
        names = tuple(service.name for service in self._config.services)
        _finish(self._program("setup", ("sagaline.chassis.setup", "all", *names), names))

    def migrate(self, service: str) -> None:
        """The tables of `service` are up to date. Raises SetupFailed."""
        _finish(self._program("migrate", (service, "migrate"), (service,)))

    def _program(self, name: str, arguments: tuple[str, ...], services: tuple[str, ...]) -> Program:
        return Program(
            arguments=arguments,
            directory=self._config.root,
            environment=self.environment(services),
            log=self._state.logs / f"{name}.log",
        )


def _finish(program: Program) -> None:
    process = program.start()
    try:
        exit_code = process.wait(SETUP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        exit_code = None
    finally:
        process.kill()
        process.wait()
    if exit_code != 0:
        raise SetupFailed(log=program.log, tail=service_log.excerpt(program.log, TAIL_LINES))
