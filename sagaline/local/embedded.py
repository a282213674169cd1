"""A whole platform on one machine: Kafka, PostgreSQL, what the services need in them, the services.

Calls block. The platform ends with the process that runs it, however that one ends.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sagaline.chassis.errors import PlatformError
from sagaline.local import packages, readiness, service_log
from sagaline.local.backing import BackingServer, KafkaServer, MakeServers, PostgresServer
from sagaline.local.child import Program
from sagaline.local.happenings import Died, Happening, Ready, Started
from sagaline.local.launch import Launch
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.ports import LOOPBACK, require_free
from sagaline.local.process_key import ProcessKey
from sagaline.local.run_file import RunFile, RunningServer, RunningService
from sagaline.local.servers import Servers, embedded_servers, timed
from sagaline.local.state_directory import StateDirectory
from sagaline.local.supervisor import Supervisor

if TYPE_CHECKING:
    from sagaline.local.in_process import InProcess

READY_TIMEOUT_S = 90.0
READY_POLL_S = 0.1
DEATHS_MAX = 3  # in a row, while the platform starts
TAIL_LINES = 15


class NeverReady(PlatformError):
    """{service} {why}. The end of its log, {log}:
    {tail}
    """


class EmbeddedPlatform:
    """What `config` says, with data and logs in `state`; `tell` hears what happens.

    `settings` are environment variables for all services, and win over our own environment's.
    `tell` is called from several threads and must not raise. `servers` makes Kafka and PostgreSQL:
    processes of this machine, unless it gives others. `in_process`: the services run in this
    process, beside the caller.
    """

    def __init__(
        self,
        config: PlatformConfig,
        state: StateDirectory,
        *,
        tell: Callable[[Happening], None],
        settings: Mapping[str, str] | None = None,
        servers: MakeServers = embedded_servers,
        in_process: bool = False,
    ) -> None:
        self.config = config
        self.state = state
        self._tell = tell
        self._servers = Servers(*servers(config.ports, state), tell=tell)
        self._launch = Launch(config, state, self._servers, dict(settings or {}))
        self._in_process = in_process
        self._services: Supervisor | InProcess | None = None
        self._run_file_lock = threading.Lock()

    @property
    def kafka(self) -> KafkaServer:
        """The broker."""
        return self._servers.kafka

    @property
    def postgres(self) -> PostgresServer:
        """The database server."""
        return self._servers.postgres

    @property
    def urls(self) -> Mapping[str, str]:
        """Each service's URL, by name."""
        return {s.name: f"http://{LOOPBACK}:{s.port}" for s in self.config.services}

    @property
    def operator_urls(self) -> Mapping[str, str]:
        """Where each service's operators are answered, by name."""
        return {s.name: f"http://{LOOPBACK}:{s.operator_port}" for s in self.config.services}

    @property
    def supervisor(self) -> Supervisor:
        """The services' processes; there once the platform was started, unless in this one."""
        assert isinstance(self._services, Supervisor), self._services
        return self._services

    def program(self, service: str) -> Program:
        """Give what runs a service, for another process of it; once PostgreSQL was started."""
        return self._launch.programs()[service]

    def start(self) -> None:
        """Everything runs and is ready. After an error or an interrupt, call stop().

        Raises PortTaken before anything was started; ServerFailed, SetupFailed, NeverReady.
        """
        self._servers.require_ports()
        for service in self.config.services:
            for setting, port in service.ports.items():
                require_free(port, server=service.name, setting=setting)
        self._servers.start([service.name for service in self.config.services])
        with timed(self._tell, "tables and topics"):
            self._launch.set_up()
            self._servers.wait_for_kafka()
        self._services = self._made()
        self._services.start()
        with timed(self._tell, "services"):
            asyncio.run(self._ready())

    def stop(self) -> None:
        """Nothing runs any more: services first, all at once, then Kafka, then PostgreSQL."""
        if self._services is not None:
            self._services.stop()
        self._servers.stop()
        RunFile.remove(self.state.path)

    def heal(self) -> None:
        """Kafka and PostgreSQL run, started again if they died; to be called now and then."""
        if self._servers.heal():
            self._write_run_file()

    def _made(self) -> "Supervisor | InProcess":
        if not self._in_process:
            return Supervisor(self._launch.programs(), tell=self._hear)
        # Here, since all of a service comes with it: no other start is to wait for that.
        from sagaline.local.in_process import InProcess

        packages.make_importable(self.config)
        names = [service.name for service in self.config.services]
        variables = self._launch.environment(names)
        return InProcess(names, self.state.logs, variables, tell=self._hear)

    async def _ready(self) -> None:
        assert self._services is not None
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        waiting = dict(self.urls)
        while waiting:
            lacking = await readiness.missing(waiting)
            for service in [name for name in waiting if name not in lacking]:
                self._tell(Ready(service, waiting.pop(service)))
            for service, lack in lacking.items():
                if time.monotonic() > deadline_s:
                    raise self._never_ready(service, f"was not ready in time: {lack}")
                if self._services.deaths(service) >= DEATHS_MAX:
                    raise self._never_ready(service, "ends again and again")
            await asyncio.sleep(READY_POLL_S)

    def _never_ready(self, service: str, why: str) -> NeverReady:
        log = self.state.logs / f"{service}.log"
        tail = service_log.excerpt(log, TAIL_LINES)
        return NeverReady(service=service, why=why, log=log, tail=tail)

    def _hear(self, happening: Happening) -> None:
        if isinstance(happening, Started | Died):
            self._write_run_file()
        self._tell(happening)

    def _write_run_file(self) -> None:
        us = ProcessKey.of(os.getpid())
        assert us is not None
        assert self._services is not None
        services = {
            name: RunningService(
                url=url,
                operator_url=self.operator_urls[name],
                log=self.state.logs / f"{name}.log",
                process=self._services.process(name),
            )
            for name, url in self.urls.items()
        }
        with self._run_file_lock:
            RunFile(
                supervisor=us,
                services=services,
                kafka=_running(self.kafka),
                postgres=_running(self.postgres),
            ).write(self.state.path)


def _running(server: BackingServer) -> RunningServer:
    return RunningServer(
        address=f"{LOOPBACK}:{server.port}",
        log=server.log,
        process=None if server.pid is None else ProcessKey.of(server.pid),
    )
