"""The two servers of a platform, each in a container of the images that deployments use."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.wait_strategies import ExecWaitStrategy

from sagaline.local.platform_config import ServerPorts
from sagaline.local.ports import LOOPBACK
from sagaline.local.postgres import INITDB_OPTIONS, SUPERUSER, psql
from sagaline.local.state_directory import StateDirectory
from sagaline.testing.containers import engine
from sagaline.testing.containers.kafka import KafkaContainer
from sagaline.testing.containers.server import ContainerServer
from sagaline.testing.containers.waits import POLL_S

POSTGRES_IMAGE = "postgres:18"
POSTGRES_PORT = 5432  # inside
START_TIMEOUT_S = 60
SETTINGS = {"max_connections": "200", "timezone": "UTC", "log_timezone": "UTC", "jit": "off"}


def container_servers(
    ports: ServerPorts, state: StateDirectory
) -> tuple["KafkaInContainer", "PostgresInContainer"]:
    """Give both on these ports; nothing is started. Of `state` they use the folder of logs."""
    return (
        KafkaInContainer(port=ports.kafka, log=state.logs / "kafka.log"),
        PostgresInContainer(port=ports.postgres, log=state.logs / "postgres.log"),
    )


class KafkaInContainer(ContainerServer):
    """A KafkaServer."""

    def __init__(self, *, port: int, log: Path) -> None:
        container = KafkaContainer(port=port)
        super().__init__("Kafka", container, port=port, log=log, ready=container.ready)
        self.bootstrap = container.bootstrap


class PostgresInContainer(ContainerServer):
    """A PostgresServer."""

    def __init__(self, *, port: int, log: Path) -> None:
        self.password = secrets.token_urlsafe(24)
        container = PostgresContainer(
            POSTGRES_IMAGE,
            username=SUPERUSER,
            password=self.password,
            dbname=SUPERUSER,
            driver=None,
            labels=dict(engine.labels()),
        )
        container.ports = {f"{POSTGRES_PORT}/tcp": (LOOPBACK, port)}  # type: ignore[dict-item]
        container.with_env("POSTGRES_INITDB_ARGS", " ".join(INITDB_OPTIONS))
        options = [part for item in SETTINGS.items() for part in ("-c", "=".join(item))]
        container.with_command(["postgres", *options])
        # By TCP: while the image makes the data, its server has a socket only.
        answers = ExecWaitStrategy(["pg_isready", "--quiet", "--host", LOOPBACK])
        ready = answers.with_poll_interval(POLL_S).with_startup_timeout(START_TIMEOUT_S)
        super().__init__("PostgreSQL", container, port=port, log=log, ready=ready)

    def url(self, database: str = SUPERUSER, user: str = SUPERUSER) -> str:
        """Give the address of `database` for `user`, with the password in it."""
        place = f"{LOOPBACK}:{self.port}/{quote(database)}"
        return f"postgresql://{user}:{quote(self.password)}@{place}"

    def run_script(self, script: Path, environment: Mapping[str, str]) -> None:
        """Run a psql script as the superuser; `environment` is what its \\getenv finds."""
        psql(self.url(), ["-f", str(script)], environment)

    def execute(self, statement: str, *, database: str = SUPERUSER) -> None:
        """Run one statement as the superuser, outside a transaction block."""
        psql(self.url(database), ["-c", statement], {})
