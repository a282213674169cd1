"""Where a platform runs that tests talk to, by the name that `--sagaline-environment` gives it."""

import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sagaline.chassis.errors import PlatformError
from sagaline.local import throwaway
from sagaline.local.backing import KafkaServer, MakeServers, PostgresServer
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.servers import throw_away_servers
from sagaline.local.throw_away_platform import throw_away_platform

EMBEDDED, TESTCONTAINERS = "embedded", "testcontainers"


class UnknownEnvironment(PlatformError):
    """There is no environment {name} for tests: it is 'embedded' or 'testcontainers'."""


class NotInstalled(PlatformError):
    """Tests in containers need more: pip install 'sagaline[containers]' ({reason})."""


class NoEngine(PlatformError):
    """No Docker engine answers at {where}, so nothing runs in containers here: {reason}"""


class Broker(Protocol):
    """Kafka, as its clients know it."""

    @property
    def bootstrap(self) -> str:
        """The address that clients are given."""


class Environment(Protocol):
    """A platform that runs, as far as a test can tell wherever that is."""

    @property
    def config(self) -> PlatformConfig:
        """Its services, and where its schemas are."""

    @property
    def urls(self) -> Mapping[str, str]:
        """Each service's URL, by name."""

    @property
    def operator_urls(self) -> Mapping[str, str]:
        """Where each service's operators are answered, by name."""

    @property
    def kafka(self) -> Broker:
        """The broker."""


@contextmanager
def running(
    name: str, config: PlatformConfig, settings: Mapping[str, str]
) -> Iterator[Environment]:
    """Run the platform of `config` for the block, its services as processes of this checkout.

    `settings` are environment variables for all of them. Raises UnknownEnvironment, NotInstalled,
    and NoEngine where no Docker engine answers.
    """
    with throw_away_platform(
        config,
        rng=random.SystemRandom(),
        tell=print,
        settings=settings,
        servers=servers_in(name),
    ) as platform:
        yield platform


def servers_in(name: str) -> MakeServers:
    """Give what makes a platform's Kafka and PostgreSQL: as processes here, or in containers."""
    if not _in_containers(name):
        return throw_away_servers
    from sagaline.testing.containers import servers

    return servers.container_servers


def postgres_in(name: str, rng: random.Random) -> AbstractContextManager[PostgresServer]:
    """Run an empty PostgreSQL for the block, without a platform; `rng` picks its port."""
    if not _in_containers(name):
        return throwaway.postgres(rng)
    from sagaline.testing.containers import throwaway as contained

    return contained.postgres(rng)


def kafka_in(name: str, rng: random.Random) -> AbstractContextManager[KafkaServer]:
    """Run an empty Kafka for the block, without a platform; `rng` picks its port."""
    if not _in_containers(name):
        return throwaway.kafka(rng)
    from sagaline.testing.containers import throwaway as contained

    return contained.kafka(rng)


def _in_containers(name: str) -> bool:
    """Say whether it is, after a look at the engine: then its modules can be imported."""
    if name == EMBEDDED:
        return False
    if name != TESTCONTAINERS:
        raise UnknownEnvironment(name=name)
    try:
        from sagaline.testing.containers import engine
    except ModuleNotFoundError as error:
        raise NotInstalled(reason=error) from error
    engine.require()
    return True
