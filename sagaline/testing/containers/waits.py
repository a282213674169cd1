"""When a container that was started, or started again, is ready."""

from datetime import datetime

from docker.models.containers import Container
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

POLL_S = 0.1


class Said(WaitStrategy):
    """The container's log has `message` in it since its last start."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self._message = message.encode()
        self.with_poll_interval(POLL_S)

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Wait for it. Raises TimeoutError, at once if the container has ended."""
        docker = container.get_wrapped_container()
        if not self._poll(lambda: self._said(docker)):
            raise TimeoutError(f"it has not said {self._message.decode()!r}")

    def _said(self, docker: Container) -> bool:
        docker.reload()
        if docker.status != "running":
            raise StopIteration  # ends the polling
        started = datetime.fromisoformat(docker.attrs["State"]["StartedAt"])
        return self._message in docker.logs(since=started.timestamp())
