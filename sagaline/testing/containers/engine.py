"""The Docker engine: whether one answers, whose containers are in it, and which nobody needs."""

import os
import socket
from collections.abc import Mapping

from docker.errors import APIError, DockerException
from docker.models.containers import Container
from testcontainers.core.docker_client import DockerClient, get_docker_host

from sagaline.local.process_key import ProcessKey
from sagaline.testing.environment import NoEngine

MACHINE = "dev.sagaline.testing.machine"
PROCESS = "dev.sagaline.testing.process"
DEFAULT = "unix:///var/run/docker.sock"


def require() -> None:
    """An engine answers, and has no container of a test run that was killed. Raises NoEngine."""
    try:
        client = DockerClient().client
    except DockerException as error:
        reason = str(error).rpartition("] ")[2].rstrip("\"')")
        raise NoEngine(where=get_docker_host() or DEFAULT, reason=reason) from error
    try:
        here = {"label": f"{MACHINE}={_machine()}"}
        for container in client.containers.list(all=True, filters=here):
            if not _process(container.labels).lives():
                _remove(container)
    finally:
        client.close()


def labels() -> Mapping[str, str]:
    """Give what a container of this process is marked with: whoever finds it asks if we live."""
    us = ProcessKey.of(os.getpid())
    assert us is not None
    return {MACHINE: _machine(), PROCESS: f"{us.pid}:{us.started_ticks}"}


def _machine() -> str:
    """Name where our pids mean something: an engine may serve several machines or containers."""
    return f"{socket.gethostname()}/{os.readlink('/proc/self/ns/pid')}"


def _process(found: Mapping[str, str]) -> ProcessKey:
    pid, started_ticks = found[PROCESS].split(":")
    return ProcessKey(int(pid), int(started_ticks))


def _remove(container: Container) -> None:
    try:
        container.remove(force=True, v=True)
    except APIError:  # somebody else has just found it, too
        pass
