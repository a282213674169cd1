"""pytest plugin: real servers and real services, started when a test asks for them.

    pytest_plugins = ["sagaline.testing.plugin"]  # in the conftest.py beside sagaline.toml

Once a session, shared by all tests: `postgres_server`, `kafka_bootstrap`, `databases`,
`embedded_platform`. Each test's own: `platform`, and each database that `databases` makes. A test
that stops or kills a server of its own takes one from `sagaline.local.throwaway`.

Nothing is mocked: a platform is ready after some ten seconds, and then a saga takes milliseconds.
"""

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from sagaline.local import throwaway
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.throw_away_platform import throw_away_platform
from sagaline.testing.databases import Databases
from sagaline.testing.running_platform import RunningPlatform
from sagaline.testing.runtime import TestServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[TestServer]:
    """A PostgreSQL for this session; databases are the tests' own to create."""
    with TestServer.started(random.SystemRandom()) as server:
        yield server


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """The address of a Kafka for this session; topics are the tests' own to create."""
    with throwaway.kafka(random.SystemRandom()) as server:
        yield server.bootstrap


@pytest.fixture(scope="session")
def platform_config(pytestconfig: pytest.Config) -> PlatformConfig:
    """The platform file of these tests: the nearest sagaline.toml in pytest's root or above."""
    return PlatformConfig.find(Path(pytestconfig.rootpath))


@pytest.fixture(scope="session")
def databases(postgres_server: TestServer, platform_config: PlatformConfig) -> Databases:
    """Databases of single services: `async with databases.opened("debit_service") as database`."""
    return Databases(postgres_server, platform_config)


@pytest.fixture(scope="session")
def platform_settings() -> Mapping[str, str]:
    """Environment variables for the session's services: none. A suite may override this."""
    return {}


@pytest.fixture(scope="session")
def embedded_platform(
    platform_config: PlatformConfig, platform_settings: Mapping[str, str]
) -> Iterator[EmbeddedPlatform]:
    """The session's platform, on servers of its own; `platform` is what tests talk to."""
    with throw_away_platform(
        platform_config, rng=random.SystemRandom(), tell=print, settings=platform_settings
    ) as embedded:
        yield embedded


@pytest_asyncio.fixture
async def platform(embedded_platform: EmbeddedPlatform) -> AsyncIterator[RunningPlatform]:
    """The session's platform in this test's hands: whole at its begin, and again at its end."""
    async with RunningPlatform(embedded_platform) as platform:
        await platform.heal()
        yield platform
        await platform.heal()
