"""Kafka and PostgreSQL together: started side by side, stopped in time, healed when they die."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from sagaline.local.backing import KafkaServer, PostgresServer
from sagaline.local.happenings import Begun, Done, Happening, ServerDied
from sagaline.local.kafka import Kafka
from sagaline.local.platform_config import ServerPorts
from sagaline.local.postgres import Postgres
from sagaline.local.provisioning import provision
from sagaline.local.state_directory import StateDirectory

POLL_S = 0.1
# With the services' 4 s before, a Ctrl-C takes 10 s at most.
KAFKA_STOP_S, POSTGRES_STOP_S = 4.0, 2.0


def embedded_servers(ports: ServerPorts, state: StateDirectory) -> tuple[Kafka, Postgres]:
    """Give the two as processes of this machine, which keep their data in `state`."""
    kafka = Kafka(state.kafka, port=ports.kafka, controller_port=ports.kafka_controller)
    return kafka, Postgres(state.postgres, port=ports.postgres)


def throw_away_servers(ports: ServerPorts, state: StateDirectory) -> tuple[Kafka, Postgres]:
    """Give the same, for as long as this process lives; nobody misses their data."""
    kafka = Kafka(
        state.kafka, port=ports.kafka, controller_port=ports.kafka_controller, throw_away=True
    )
    return kafka, Postgres(state.postgres, port=ports.postgres, throw_away=True)


class Servers:
    """The two servers of a platform; `tell` hears what happens to them."""

    def __init__(
        self,
        kafka: KafkaServer,
        postgres: PostgresServer,
        *,
        tell: Callable[[Happening], None],
    ) -> None:
        self.kafka = kafka
        self.postgres = postgres
        self._tell = tell
        self._kafka_start: _InThread | None = None

    def require_ports(self) -> None:
        """Their ports are free, at this moment. Raises PortTaken."""
        for server in (self.kafka, self.postgres):
            server.require_ports()

    def start(self, services: Sequence[str]) -> None:
        """PostgreSQL serves, with the services' databases in it; Kafka is about to."""
        self._kafka_start = _InThread(self._start_kafka)
        with timed(self._tell, "PostgreSQL"):
            self.postgres.start()
            provision(self.postgres, services)

    def wait_for_kafka(self) -> None:
        """Kafka serves. Raises what went wrong with its start."""
        assert self._kafka_start is not None
        self._kafka_start.result()

    def stop(self) -> None:
        """Neither runs any more, even if they were still starting."""
        self._end_kafka_start()
        self.kafka.end(patience_s=KAFKA_STOP_S)
        self.postgres.end(patience_s=POSTGRES_STOP_S)

    def heal(self) -> bool:
        """Start a server again that died by itself; say whether one did."""
        dead = [server for server in (self.kafka, self.postgres) if not server.running]
        for server in dead:
            self._tell(ServerDied(server.name))
            server.start()
        return bool(dead)

    def _start_kafka(self) -> None:
        with timed(self._tell, "Kafka"):
            self.kafka.start()

    def _end_kafka_start(self) -> None:
        """Interrupted while Kafka starts: it is stopped as soon as there is something to stop."""
        deadline_s = time.monotonic() + KAFKA_STOP_S
        while self._kafka_start is not None and self._kafka_start.goes_on:
            self.kafka.end(patience_s=max(0.0, deadline_s - time.monotonic()))
            if time.monotonic() > deadline_s:  # a download, say; it ends with our process
                return
            time.sleep(POLL_S)


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


@contextmanager
def timed(tell: Callable[[Happening], None], what: str) -> Iterator[None]:
    """Tell the begin and, unless it fails, the end of something that takes a while."""
    begin_s = time.monotonic()
    tell(Begun(what))
    yield
    tell(Done(what, time.monotonic() - begin_s))
