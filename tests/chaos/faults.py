"""What can happen to a part of the platform; each says when that part was there again."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sagaline.testing.platform import Platform
from tests.chaos.waiting import until

KAFKA, POSTGRES = "Kafka", "PostgreSQL"


class Fault(Protocol):
    """A bad moment of one part of the platform; its text names both."""

    async def strike(self, platform: Platform) -> float:
        """It comes about and is over; when the part began to go on, by the monotonic clock."""
        ...


@dataclass(frozen=True)
class KilledService:
    """A service's process gets signal 9; the supervisor starts another one."""

    service: str

    def __str__(self) -> str:
        return f"kill -9 {self.service}"

    async def strike(self, platform: Platform) -> float:
        """Until there is another process, which has only begun to start."""
        supervisor = platform.embedded.supervisor
        await platform.kill(self.service)

        async def restarted() -> bool:
            return supervisor.process(self.service) is not None

        await until(restarted, f"{self.service} runs again")
        return time.monotonic()


@dataclass(frozen=True)
class KilledServer:
    """Kafka or PostgreSQL gets signal 9, and is started again over what it left."""

    server: str

    def __str__(self) -> str:
        return f"kill -9 {self.server}"

    async def strike(self, platform: Platform) -> float:
        """Until it is started; its own recovery from the kill counts as ours."""
        of_kafka, of_postgres = (
            (platform.kill_kafka, platform.start_kafka),
            (platform.kill_postgres, platform.start_postgres),
        )
        kill, start = of_kafka if self.server == KAFKA else of_postgres
        await kill()
        begin_s = time.monotonic()
        await start()
        return begin_s


@dataclass(frozen=True)
class Standstill:
    """A service's process is stopped by a signal for so long, and goes on without noticing."""

    service: str
    seconds: float

    def __str__(self) -> str:
        return f"SIGSTOP {self.seconds:.0f} s {self.service}"

    async def strike(self, platform: Platform) -> float:
        """Until it goes on."""
        platform.pause(self.service)
        # A standstill has a length: nothing is waited for.
        await asyncio.sleep(self.seconds)
        platform.resume(self.service)
        return time.monotonic()


def kills(services: Sequence[str]) -> list[Fault]:
    """Each service and server once."""
    servers = (KAFKA, POSTGRES)
    return [*map(KilledService, services), *map(KilledServer, servers)]


def standstills(services: Sequence[str], *, seconds: float) -> list[Fault]:
    """Each service once."""
    return [Standstill(service, seconds) for service in services]
