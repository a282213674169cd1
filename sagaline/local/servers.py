"""Kafka and PostgreSQL together: started side by side, stopped in time, healed when they die."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from sagaline.local.happenings import Begun, Done, Happening, ServerDied
from sagaline.local.kafka import Kafka
from sagaline.local.platform_config import ServerPorts
from sagaline.local.ports import require_free
from sagaline.local.postgres import Postgres
from sagaline.local.process_key import ProcessKey
from sagaline.local.provisioning import provision
from sagaline.local.server import Server
from sagaline.local.state_directory import StateDirectory

POLL_S = 0.1
# With the services' 4 s before, a Ctrl-C takes 10 s at most.
KAFKA_STOP_S, POSTGRES_STOP_S = 4.0, 2.0


class EmbeddedServers:
    """The two servers of a platform; `tell` hears what happens to them."""

    def __init__(
        self,
        ports: ServerPorts,
        state: StateDirectory,
        *,
        tell: Callable[[Happening], None],
        throw_away: bool,
    ) -> None:
        self.kafka = Kafka(
            state.kafka,
            port=ports.kafka,
            controller_port=ports.kafka_controller,
            throw_away=throw_away,
        )
        self.postgres = Postgres(state.postgres, port=ports.postgres, throw_away=throw_away)
        self._ports = ports
        self._throw_away = throw_away
        self._tell = tell
        self._kafka_start: _InThread | None = None

    def require_ports(self) -> None:
        """Their ports are free, at this moment. Raises PortTaken."""
        for server, port, name in (
            ("Kafka", self._ports.kafka, "kafka"),
            ("Kafka's controller", self._ports.kafka_controller, "kafka_controller"),
            ("PostgreSQL", self._ports.postgres, "postgres"),
        ):
            require_free(port, server=server, setting=f"ports.{name} in sagaline.toml")

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
        self._stop(self.kafka, patience_s=KAFKA_STOP_S)
        self._stop(self.postgres, patience_s=POSTGRES_STOP_S)

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

    def _stop(self, server: Server, *, patience_s: float) -> None:
        # Nobody misses the data of a throw-away platform: that saves seconds.
        _stop(server, patience_s=0.0 if self._throw_away else patience_s)

    def _end_kafka_start(self) -> None:
        """Interrupted while Kafka starts: it is stopped as soon as there is something to stop."""
        deadline_s = time.monotonic() + KAFKA_STOP_S
        while self._kafka_start is not None and self._kafka_start.goes_on:
            self._stop(self.kafka, patience_s=max(0.0, deadline_s - time.monotonic()))
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
