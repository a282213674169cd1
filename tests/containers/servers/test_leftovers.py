"""A test run that was killed leaves its containers; the next one removes them, and no others."""

import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from docker.models.containers import Container
from testcontainers.core.docker_client import DockerClient

from sagaline.testing.containers import engine
from sagaline.testing.containers.servers import POSTGRES_IMAGE

# What testcontainers would start, without its wait: the rest of its life is spent in a sleep.
START = f"""
import time
from testcontainers.core.container import DockerContainer
from sagaline.testing.containers import engine

with DockerContainer("{POSTGRES_IMAGE}", labels=dict(engine.labels())) as container:
    print(container.get_container_id(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other_run() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", START]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()
    engine.require()


def found(container_id: str) -> Sequence[Container]:
    client = DockerClient().client
    try:
        listed: Sequence[Container] = client.containers.list(all=True, filters={"id": container_id})
        return listed
    finally:
        client.close()


def volumes(container: Container) -> list[str]:
    return [mount["Name"] for mount in container.attrs["Mounts"] if mount["Type"] == "volume"]


def test_containers_of_a_killed_run_go_at_the_next_and_those_of_a_running_one_stay(
    other_run: "subprocess.Popen[str]",
) -> None:
    assert other_run.stdout is not None
    container_id = other_run.stdout.readline().strip()
    (container,) = found(container_id)
    names = volumes(container)
    assert names
    engine.require()
    assert found(container_id)
    other_run.kill()
    other_run.wait()
    assert found(container_id)
    engine.require()
    assert not found(container_id)
    client = DockerClient().client
    left = {volume.name for volume in client.volumes.list()}
    client.close()
    assert left.isdisjoint(names)
