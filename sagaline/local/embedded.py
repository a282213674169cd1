"""A whole platform on one machine: Kafka, PostgreSQL, what the services need in them, the services.

Calls block. The platform ends with the process that runs it, however that one ends.
"""

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from sagaline.chassis.errors import PlatformError
from sagaline.local import readiness, service_log
from sagaline.local.child import Program
from sagaline.local.environment import service_environment
from sagaline.local.happenings import Begun, Died, Done, Happening, Ready, ServerDied, Started
from sagaline.local.kafka import Kafka
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.ports import LOOPBACK, require_free
from sagaline.local.postgres import Postgres
from sagaline.local.process_key import ProcessKey
from sagaline.local.provisioning import provision
from sagaline.local.run_file import RunFile, RunningServer, RunningService
from sagaline.local.server import Server
from sagaline.local.state_directory import StateDirectory
from sagaline.local.supervisor import Supervisor

READY_TIMEOUT_S = 90.0
READY_POLL_S = 0.1
SETUP_TIMEOUT_S = 90.0
SERVER_STOP_S = 5.0
DEATHS_MAX = 3  # in a row, while the platform starts
DEFAULTS = {
    "SAGALINE_TOPIC_PARTITIONS": "4",  # one process each: more would only cost
}
ALWAYS = {"PYTHONUNBUFFERED": "1", "PYTHONOPTIMIZE": ""}  # asserts are part of the program


class SetupFailed(PlatformError):
    """Tables and topics could not be made. The end of the log, {log}:
    {tail}
    """


class NeverReady(PlatformError):
    """{service} {why}. The end of its log, {log}:
    {tail}
    """


class EmbeddedPlatform:
    """What `config` says, with data and logs in `state`; `tell` hears what happens.

    `settings` are environment variables for all services, and win over our own environment's.
    `tell` is called from several threads and must not raise.
    """

    def __init__(
        self,
        config: PlatformConfig,
        state: StateDirectory,
        *,
        tell: Callable[[Happening], None],
        settings: Mapping[str, str] | None = None,
        throw_away: bool = False,
    ) -> None:
        self.config = config
        self.state = state
        self.kafka = Kafka(
            state.kafka,
            port=config.ports.kafka,
            controller_port=config.ports.kafka_controller,
            throw_away=throw_away,
        )
        self.postgres = Postgres(state.postgres, port=config.ports.postgres, throw_away=throw_away)
        self._throw_away = throw_away
        self._tell = tell
        self._settings = dict(settings or {})
        self._supervisor: Supervisor | None = None
        self._kafka_start: _InThread | None = None
        self._run_file_lock = threading.Lock()

    @property
    def urls(self) -> Mapping[str, str]:
        """Each service's URL, by name."""
        return {s.name: f"http://{LOOPBACK}:{s.port}" for s in self.config.services}

    @property
    def supervisor(self) -> Supervisor:
        """The services' processes; there once the platform was started."""
        assert self._supervisor is not None
        return self._supervisor

    # --- life

    def start(self) -> None:
        """Everything runs and is ready. After an error or an interrupt, call stop().

        Raises PortTaken before anything was started; ServerFailed, SetupFailed, NeverReady.
        """
        self._require_ports()
        self._kafka_start = _InThread(self._start_kafka)
        self._start_postgres()
        with self._timed("tables and topics"):
            self._set_up()
            self._kafka_start.result()
        self._supervisor = Supervisor(self._programs(), tell=self._hear)
        self._supervisor.start()
        with self._timed("services"):
            asyncio.run(self._ready())

    def stop(self) -> None:
        """Nothing runs any more: services first, all at once, then Kafka, then PostgreSQL."""
        if self._supervisor is not None:
            self._supervisor.stop()
        self._end_kafka_start()
        for server in (self.kafka, self.postgres):
            # Nobody misses the data of a throw-away platform: that saves seconds.
            _stop(server, patience_s=0.0 if self._throw_away else SERVER_STOP_S)
        RunFile.remove(self.state.path)

    def heal(self) -> None:
        """Start Kafka or PostgreSQL again if it died; to be called now and then."""
        for server in (self.kafka, self.postgres):
            if not server.running:
                self._tell(ServerDied(server.name))
                server.start()
                self._write_run_file()

    # --- inside

    def _require_ports(self) -> None:
        for service in self.config.services:
            require_free(service.port, server=service.name, setting=service.port_setting)
        ports = self.config.ports
        for server, port, setting in (
            ("Kafka", ports.kafka, "ports.kafka in sagaline.toml"),
            (
                "Kafka's controller",
                ports.kafka_controller,
                "ports.kafka_controller in sagaline.toml",
            ),
            ("PostgreSQL", ports.postgres, "ports.postgres in sagaline.toml"),
        ):
            require_free(port, server=server, setting=setting)

    def _start_kafka(self) -> None:
        with self._timed("Kafka"):
            self.kafka.start()

    def _end_kafka_start(self) -> None:
        """Interrupted while Kafka starts: it is stopped as soon as there is something to stop."""
        deadline_s = time.monotonic() + SERVER_STOP_S
        while self._kafka_start is not None and self._kafka_start.goes_on:
            self.kafka.stop()
            if time.monotonic() > deadline_s:  # a download, say; it ends with our process
                return
            time.sleep(READY_POLL_S)

    def _start_postgres(self) -> None:
        with self._timed("PostgreSQL"):
            self.postgres.start()
            provision(self.postgres, [service.name for service in self.config.services])

    def _set_up(self) -> None:
        log = self.state.logs / "setup.log"
        process = Program(
            arguments=("sagaline.local.setup", *self.urls),
            directory=self.config.root,
            environment=self._environment(),
            log=log,
        ).start()
        try:
            exit_code = process.wait(SETUP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            exit_code = None
        finally:
            process.kill()
        if exit_code != 0:
            raise SetupFailed(log=log, tail="\n    ".join(service_log.tail(log, 15)))

    def _programs(self) -> dict[str, Program]:
        return {
            service.name: Program(
                arguments=(service.name, "run"),
                directory=self.config.root,
                environment=self._environment(service.name),
                log=self.state.logs / f"{service.name}.log",
            )
            for service in self.config.services
        }

    def _environment(self, *services: str) -> dict[str, str]:
        """Our own environment, `settings`, then where `services` (or all of them) find things."""
        found = [
            service_environment(service, kafka=self.kafka, postgres=self.postgres)
            for service in self.config.services
            if not services or service.name in services
        ]
        addresses = {name: value for variables in found for name, value in variables.items()}
        return {**DEFAULTS, **os.environ, **self._settings, **addresses, **ALWAYS}

    async def _ready(self) -> None:
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        waiting = dict(self.urls)
        while waiting:
            lacking = await readiness.missing(waiting)
            for service in [name for name in waiting if name not in lacking]:
                self._tell(Ready(service, waiting.pop(service)))
            for service, lack in lacking.items():
                if time.monotonic() > deadline_s:
                    raise self._never_ready(service, f"was not ready in time: {lack}")
                if self.supervisor.deaths(service) >= DEATHS_MAX:
                    raise self._never_ready(service, "ends again and again")
            await asyncio.sleep(READY_POLL_S)

    def _never_ready(self, service: str, why: str) -> NeverReady:
        log = self.state.logs / f"{service}.log"
        tail = "\n    ".join(service_log.tail(log, 15))
        return NeverReady(service=service, why=why, log=log, tail=tail)

    def _hear(self, happening: Happening) -> None:
        if isinstance(happening, Started | Died):
            self._write_run_file()
        self._tell(happening)

    def _write_run_file(self) -> None:
        us = ProcessKey.of(os.getpid())
        assert us is not None
        services = {
            name: RunningService(
                url=url,
                log=self.state.logs / f"{name}.log",
                process=self.supervisor.process(name),
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

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begin_s = time.monotonic()
        self._tell(Begun(what))
        yield
        self._tell(Done(what, time.monotonic() - begin_s))


class _InThread:
    """A call that runs beside the caller, and dies with the process if it must."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._error: Exception | None = None
        self._thread = threading.Thread(target=partial(self._run, call), daemon=True)
        self._thread.start()

    @property
    def goes_on(self) -> bool:
        """Whether the call is not over."""
        return self._thread.is_alive()

    def result(self) -> None:
        """The call is over; what it raised is raised here."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - carried over to whoever asks for the result
            self._error = error


def _running(server: Server) -> RunningServer:
    return RunningServer(
        address=f"{LOOPBACK}:{server.port}",
        log=server.log,
        process=None if server.pid is None else ProcessKey.of(server.pid),
    )


def _stop(server: Server, *, patience_s: float) -> None:
    """Stop it in an orderly way; kill it if that takes longer than `patience_s`."""
    impatience = threading.Timer(patience_s, partial(_kill, server))
    impatience.daemon = True
    impatience.start()
    server.stop()
    impatience.cancel()


def _kill(server: Server) -> None:
    process = None if server.pid is None else ProcessKey.of(server.pid)
    if process is not None:
        process.signal(signal.SIGKILL)
