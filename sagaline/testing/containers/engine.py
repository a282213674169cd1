"""The Docker engine: whether one answers, whose containers are in it, and which nobody needs."""

import gc
import os
import socket
import warnings
from collections.abc import Mapping

import docker
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
    client = _connected()
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


def _connected() -> docker.DockerClient:
    try:
        return DockerClient().client
    except DockerException as error:
        reason = str(_first_cause(error))
    with warnings.catch_warnings():
        # Where nobody answers, Docker's client forgets a socket, and tests that take warnings for
        # errors would fail of it, instead of being skipped.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    raise NoEngine(where=get_docker_host() or DEFAULT, reason=reason)


def _first_cause(error: BaseException) -> BaseException:
    """Give what the others were raised for: they are layers of a client."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


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
