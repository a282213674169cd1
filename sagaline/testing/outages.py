"""What a test does to a platform on a bad day: kill, stop, start; and then all is well again."""

import asyncio
import signal
import time
from collections.abc import Callable

from sagaline.local import readiness
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.process_key import ProcessKey
from sagaline.testing.environment import Environment

POLL_S = 0.05
WITHIN_S = 60.0


class NotSoon(AssertionError):
    """What a test waited for did not come in time."""


class Outages:
    """Takes parts of a running platform down, and brings them back.

    That is for platforms whose services are processes of this machine.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    @property
    def embedded(self) -> EmbeddedPlatform:
        """The platform as what started it; nothing of it is known where others did."""
        assert isinstance(self.environment, EmbeddedPlatform), "its processes aren't ours"
        return self.environment

    async def kill(self, service: str) -> None:
        """Kill a service's process with signal 9; the supervisor starts another one soon."""
        process = self._signal(service, signal.SIGKILL)
        await _until(lambda: not process.lives(), f"{service} is gone")

    def pause(self, service: str) -> None:
        """The service's process stands still, as it is, until resume()."""
        self._signal(service, signal.SIGSTOP)

    def resume(self, service: str) -> None:
        """A process that stood still goes on, and knows nothing of it."""
        self._signal(service, signal.SIGCONT)

    async def stop(self, service: str) -> None:
        """The service is stopped in an orderly way, and stays so until start()."""
        self.embedded.supervisor.hold(service)
        await _until(
            lambda: self.embedded.supervisor.process(service) is None, f"{service} is stopped"
        )

    async def start(self, service: str) -> None:
        """A service that was stopped or killed runs again, and is ready."""
        self.embedded.supervisor.release(service)
        await self.ready(service)

    async def ready(self, *services: str, within_s: float = WITHIN_S) -> None:
        """Wait until the services (or all of them) say that they are ready. Raises NotSoon."""
        urls = {n: url for n, url in self.environment.urls.items() if not services or n in services}
        deadline_s = time.monotonic() + within_s
        while lacking := await readiness.missing(urls):
            if time.monotonic() > deadline_s:
                raise NotSoon(f"not ready after {within_s:.0f} s: {lacking}")
            await asyncio.sleep(POLL_S)

    async def stop_kafka(self) -> None:
        """Kafka is down, its data kept."""
        await asyncio.to_thread(self.embedded.kafka.stop)

    async def kill_kafka(self) -> None:
        """Kafka was killed with signal 9, its data kept."""
        await asyncio.to_thread(self.embedded.kafka.kill)

    async def start_kafka(self) -> None:
        """Kafka serves again."""
        await asyncio.to_thread(self.embedded.kafka.start)

    async def stop_postgres(self) -> None:
        """All databases are down, their data kept."""
        await asyncio.to_thread(self.embedded.postgres.stop)

    async def kill_postgres(self) -> None:
        """All databases went down by a kill -9, their data kept."""
        await asyncio.to_thread(self.embedded.postgres.kill)

    async def start_postgres(self) -> None:
        """The databases serve again."""
        await asyncio.to_thread(self.embedded.postgres.start)

    async def heal(self) -> None:
        """Whatever was taken down is up, and everything is ready."""
        if isinstance(self.environment, EmbeddedPlatform):
            await self._bring_up()
        await self.ready()

    async def _bring_up(self) -> None:
        for server in (self.embedded.postgres, self.embedded.kafka):
            if not server.running:
                await asyncio.to_thread(server.start)
        for service in self.embedded.urls:
            self.embedded.supervisor.release(service)
            if self.embedded.supervisor.process(service) is not None:
                self.resume(service)

    def _signal(self, service: str, number: signal.Signals) -> ProcessKey:
        process = self.embedded.supervisor.process(service)
        assert process is not None, f"{service} does not run"
        process.signal_group(number)
        return process


async def _until(met: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not met():
        if time.monotonic() > deadline_s:
            raise NotSoon(f"waited {WITHIN_S:.0f} s until {what}")
        await asyncio.sleep(POLL_S)
