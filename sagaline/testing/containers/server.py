"""A container as one of a platform's servers: stopped, killed and started again on its data."""

from pathlib import Path

from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from testcontainers.core.container import DockerContainer
from testcontainers.core.exceptions import ContainerStartException
from testcontainers.core.waiting_utils import WaitStrategy

from sagaline.local.errors import ServerFailed
from sagaline.local.ports import require_free

STOP_TIMEOUT_S = 8
TAIL_LINES = 15


class ContainerServer:
    """A BackingServer in `container`, on `port` of this machine; its process is the engine's."""

    pid: int | None = None

    def __init__(
        self, name: str, container: DockerContainer, *, port: int, log: Path, ready: WaitStrategy
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        self.container = container
        self._ready = ready

    @property
    def running(self) -> bool:
        """Whether it was started, and runs."""
        made = self._made()
        if made is None:
            return False
        try:
            made.reload()
        except NotFound:
            return False
        return bool(made.status == "running")

    def require_ports(self) -> None:
        """Nobody listens on its port, at this moment. Raises PortTaken."""
        require_free(self.port, server=self.name, setting="nothing: it was picked at random")

    def start(self) -> None:
        """It is made first if need be, and ready then. Raises ServerFailed."""
        made = self._made()
        try:
            if made is None:
                self.container.start()
            else:
                made.start()
            self._ready.wait_until_ready(self.container)
        except (DockerException, TimeoutError, RuntimeError) as error:
            raise self._failed(error) from error

    def stop(self) -> None:
        """It ends in an orderly way, and keeps its data."""
        self._require_made().stop(timeout=STOP_TIMEOUT_S)

    def kill(self) -> None:
        """It ends as by a kill -9, and keeps its data."""
        made = self._require_made()
        made.kill()
        made.wait()

    def end(self, *, patience_s: float) -> None:  # noqa: ARG002 - nobody needs its data
        """The container is gone, and its data with it."""
        try:
            self.container.stop()
        except NotFound:  # this was the second call
            pass

    def _made(self) -> Container | None:
        try:
            return self.container.get_wrapped_container()
        except ContainerStartException:
            return None

    def _require_made(self) -> Container:
        made = self._made()
        assert made is not None, f"{self.name} was not started"
        return made

    def _failed(self, error: Exception) -> ServerFailed:
        try:
            made = self._made()
            said = b"" if made is None else made.logs()
        except APIError:
            said = b""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(said)
        tail = "\n    ".join(said.decode(errors="replace").splitlines()[-TAIL_LINES:])
        what = f"did not start in its container: {error}"
        return ServerFailed(server=self.name, what=what, log=self.log, tail=tail)
