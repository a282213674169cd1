"""pytest plugin: real servers and real services, started when a test asks for them.

    pytest_plugins = ["sagaline.testing.plugin"]  # in the conftest.py beside sagaline.toml

Once a session, shared by all tests: `postgres_server`, `kafka_bootstrap`, `databases`,
`environment`. Each test's own: `platform`, `topics`, `captured`, and each database that `databases`
makes. A test that stops or kills a server of its own takes one from `sagaline.local.throwaway`.

Nothing is mocked: a platform is ready after some ten seconds, and then a saga takes milliseconds.
`--sagaline-environment testcontainers` puts Kafka and PostgreSQL into containers.
"""

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from sagaline.local.platform_config import PlatformConfig
from sagaline.testing import environment as environments
from sagaline.testing.databases import Databases
from sagaline.testing.environment import EMBEDDED, TESTCONTAINERS, Environment, NoEngine
from sagaline.testing.running_platform import Captured, RunningPlatform
from sagaline.testing.runtime import TestServer
from sagaline.testing.topic_log import TopicLog


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where Kafka, PostgreSQL and the services run."""
    parser.addoption(
        "--sagaline-environment",
        default=EMBEDDED,
        metavar="NAME",
        help=f"{EMBEDDED}: processes of this machine; {TESTCONTAINERS}: servers in containers",
    )


@pytest.fixture(scope="session")
def environment_name(pytestconfig: pytest.Config) -> str:
    """What `--sagaline-environment` says."""
    return str(pytestconfig.getoption("--sagaline-environment"))


@pytest.fixture(scope="session")
def postgres_server(environment_name: str) -> Iterator[TestServer]:
    """A PostgreSQL for this session; databases are the tests' own to create."""
    with (
        _or_skipped(),
        environments.postgres_in(environment_name, random.SystemRandom()) as server,
        TestServer.on(server) as found,
    ):
        yield found


@pytest.fixture(scope="session")
def kafka_bootstrap(environment_name: str) -> Iterator[str]:
    """The address of a Kafka for this session; topics are the tests' own to create."""
    with (
        _or_skipped(),
        environments.kafka_in(environment_name, random.SystemRandom()) as server,
    ):
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
def environment(
    environment_name: str, platform_config: PlatformConfig, platform_settings: Mapping[str, str]
) -> Iterator[Environment]:
    """The session's platform, on servers of its own; `platform` is what tests talk to.

    A suite may override this, with a platform that runs elsewhere.
    """
    with (
        _or_skipped(),
        environments.running(environment_name, platform_config, platform_settings) as running,
    ):
        yield running


@pytest_asyncio.fixture
async def platform(environment: Environment) -> AsyncIterator[RunningPlatform]:
    """The session's platform in this test's hands: whole at its begin, and again at its end."""
    async with RunningPlatform(environment) as platform:
        await platform.heal()
        yield platform
        await platform.heal()


@pytest.fixture
def topics(platform: RunningPlatform) -> TopicLog:
    """The platform's Kafka, seen from outside."""
    return platform.topics


@pytest.fixture
def captured(platform: RunningPlatform) -> Captured:
    """This test's messages on a topic: `await captured("credits.replies.v1", count=2)`."""
    return platform.captured


@contextmanager
def _or_skipped() -> Iterator[None]:
    """Where there is no Docker engine, tests in containers are skipped, and say so."""
    try:
        yield
    except NoEngine as error:
        pytest.skip(str(error))
