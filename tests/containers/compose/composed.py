"""The platform of compose.yaml, under a project name and on ports of its own."""

import json
import os
import random
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sagaline.local.compose import Container, Containers
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.ports import free_port
from sagaline.local.process_key import ProcessKey

COMPOSE = "compose"
PREFIX = "sagaline-test-"
OURS = re.compile(rf"{PREFIX}(\d+)-(\d+)")  # with the process that it belongs to
COMMAND_TIMEOUT_S = 300.0
PORTS = ("SAGALINE_GATEWAY_PORT", "SAGALINE_KAFKA_PORT", "SAGALINE_POSTGRES_PORT")


@dataclass(frozen=True, slots=True)
class Broker:
    """Kafka, from outside."""

    bootstrap: str


@contextmanager
def composed_platform(config: PlatformConfig) -> Iterator["Composed"]:
    """All of it is up and healthy, from an image of this checkout; it goes with its volumes.

    Raises NoEngine.
    """
    # Here, since the whole suite imports this module, and Docker's client takes 0.3 s to import.
    from sagaline.testing.containers import engine

    engine.require()
    found = Composed(config, random.SystemRandom())
    found.remove_leftovers()
    found.compose("build", "--quiet")
    try:
        print(f"up in {found.up():.1f} s")  # noqa: T201 - shown when a test fails
        yield found
    finally:
        found.down("--volumes")
    assert found.volumes() == []


class Composed:
    """One project. `urls` and `operator_urls` follow the containers: a restart moves ports."""

    def __init__(self, config: PlatformConfig, rng: random.Random) -> None:
        self.config = config
        us = ProcessKey.of(os.getpid())
        assert us is not None
        self.project = f"{PREFIX}{us.pid}-{us.started_ticks}"
        ports = {name: str(free_port(rng)) for name in PORTS}
        self.environment: Mapping[str, str] = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            **ports,
        }
        self.kafka = Broker(f"127.0.0.1:{ports['SAGALINE_KAFKA_PORT']}")
        self.urls: dict[str, str] = {}
        self.operator_urls: dict[str, str] = {}

    @property
    def root(self) -> Path:
        """The folder of compose.yaml."""
        return self.config.root

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` for this project; give what it printed."""
        return self._run(("docker", "compose", *arguments))

    def docker(self, *arguments: str) -> str:
        """Run `docker`; give what it printed."""
        return self._run(("docker", *arguments))

    def up(self, *arguments: str) -> float:
        """Bring everything up and wait until it is healthy; seconds that it took."""
        began_s = time.monotonic()
        self.compose("up", "--wait", "--no-build", *arguments)
        self.look()
        return time.monotonic() - began_s

    def look(self) -> Containers:
        """See again where everything answers."""
        containers = Containers.asked(self.root, self.environment)
        run_file = containers.run_file(self.config)
        self.urls.update(run_file.urls)
        self.operator_urls.update(run_file.operator_urls)
        return containers

    def containers(self, service: str) -> Sequence[Container]:
        """The containers of one of compose.yaml's services."""
        return self.look().of(service)

    def kill(self, service: str) -> None:
        """SIGKILL all its processes at once; the container doesn't start again by itself."""
        self.compose("kill", service)

    def start(self, service: str) -> None:
        """Start what was killed, and wait until it is healthy."""
        self.up("--no-recreate", "--no-deps", service)

    def query(self, database: str, statement: str) -> str:
        """What PostgreSQL answers, in psql's unaligned form."""
        psql = ("psql", "--username", "postgres", "--dbname", database, "-Atc", statement)
        return self.compose("exec", "-T", "postgres", *psql).strip()

    def down(self, *arguments: str) -> None:
        """Stop and remove the containers."""
        self.compose("down", "--timeout", "20", *arguments)

    def volumes(self) -> list[str]:
        """The names of the volumes that there are."""
        mine = f"name={self.project}"
        return self.docker("volume", "ls", "--quiet", "--filter", mine).split()

    def remove_leftovers(self) -> None:
        """Projects of test runs that were killed are gone, with their volumes."""
        for project in json.loads(self.compose("ls", "--all", "--format", "json")):
            owner = OURS.fullmatch(project["Name"])
            if owner and not ProcessKey(*map(int, owner.groups())).lives():
                self.compose("--project-name", project["Name"], "down", "--volumes")

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout
