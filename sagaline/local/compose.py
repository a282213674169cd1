"""The platform in containers, as `docker compose` tells of it: where what is published answers."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, TypeAdapter

from sagaline.chassis.errors import PlatformError
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.ports import LOOPBACK
from sagaline.local.run_file import RunFile, RunningServer, RunningService

ASK = ("docker", "compose", "ps", "--all", "--format", "json")
ASK_TIMEOUT_S = 20.0
SERVICE_LABEL = "sagaline.service="  # says which package runs in a container
HTTP_PORT, OPERATOR_PORT = 8080, 9080  # of each service, in its container
KAFKA, KAFKA_PORT = "kafka", 19092
POSTGRES, POSTGRES_PORT = "postgres", 5432
NOWHERE = 0  # a port that nobody answers at: the container doesn't run


class NoDocker(PlatformError):
    """'docker compose' can't be asked in {root}: {reason}"""


class NothingComposed(PlatformError):
    """No container of this platform runs: 'docker compose up --wait' in {root} starts it."""


class _Published(BaseModel):
    inside: int = Field(alias="TargetPort")
    outside: int = Field(alias="PublishedPort")


class Container(BaseModel):
    """One container, as far as we ask for it."""

    name: str = Field(alias="Name")
    service: str = Field(alias="Service")
    state: str = Field(alias="State")
    labels: str = Field("", alias="Labels")
    published: list[_Published] | None = Field(None, alias="Publishers")

    @property
    def package(self) -> str | None:
        """The service in it, if it is one of the platform's."""
        labels = self.labels.split(",")
        found = (each for each in labels if each.startswith(SERVICE_LABEL))
        return next((each.removeprefix(SERVICE_LABEL) for each in found), None)

    def port(self, inside: int) -> int:
        """The port on this machine, NOWHERE if there is none."""
        outside = (each.outside for each in self.published or () if each.inside == inside)
        return next((port for port in outside if port), NOWHERE)


class Containers:
    """All containers of the platform, in order of their names: of replicas the first one counts."""

    def __init__(self, containers: Iterable[Container]) -> None:
        self._all = sorted(containers, key=lambda each: (each.state != "running", each.name))

    @classmethod
    def asked(cls, root: Path, environment: Mapping[str, str] | None = None) -> Self:
        """Ask Docker for those of `root`'s compose.yaml; `environment` is ours if none is given.

        Raises NoDocker and NothingComposed.
        """
        try:
            answer = subprocess.run(
                ASK,
                cwd=root,
                env=environment,
                capture_output=True,
                text=True,
                timeout=ASK_TIMEOUT_S,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            raise NoDocker(root=root, reason=_last(error.stderr)) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoDocker(root=root, reason=error) from error
        found = cls.read(answer.stdout)
        if not found.running:
            raise NothingComposed(root=root)
        return found

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what Docker prints: an object a line, or, before Compose 2.21, one array."""
        if text.startswith("["):
            return cls(TypeAdapter(list[Container]).validate_json(text))
        return cls(Container.model_validate(json.loads(line)) for line in text.splitlines())

    @property
    def running(self) -> bool:
        """Whether any of them runs."""
        return any(each.state == "running" for each in self._all)

    def run_file(self, config: PlatformConfig) -> RunFile:
        """Say where services and servers of `config` answer on this machine."""
        return RunFile(
            supervisor=None,
            services={each.name: self._service(each.name) for each in config.services},
            kafka=RunningServer(address=self._address(KAFKA, KAFKA_PORT)),
            postgres=RunningServer(address=self._address(POSTGRES, POSTGRES_PORT)),
        )

    def of(self, service: str) -> Sequence[Container]:
        """Give the containers of one of compose.yaml's services."""
        return [each for each in self._all if each.service == service]

    def replicas(self, package: str) -> Sequence[Container]:
        """Give the containers that run a service, or ran it."""
        return [each for each in self._all if each.package == package]

    def _service(self, name: str) -> RunningService:
        ports: Mapping[int, int] = {
            inside: next((each.port(inside) for each in self.replicas(name)), NOWHERE)
            for inside in (HTTP_PORT, OPERATOR_PORT)
        }
        return RunningService(
            url=f"http://{LOOPBACK}:{ports[HTTP_PORT]}",
            operator_url=f"http://{LOOPBACK}:{ports[OPERATOR_PORT]}",
        )

    def _address(self, service: str, inside: int) -> str:
        ports = (each.port(inside) for each in self.of(service))
        return f"{LOOPBACK}:{next(ports, NOWHERE)}"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"
