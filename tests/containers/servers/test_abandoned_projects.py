"""A test run that was killed leaves its project of compose.yaml; the next one removes it."""

import random
from dataclasses import dataclass

import pytest

from sagaline.local.platform_config import PlatformConfig
from tests.containers.compose.composed import PREFIX, Composed

NOBODY = 4_194_305  # one more than the highest pid there is


@dataclass(frozen=True, slots=True)
class Project:
    """One by name, beside the run's own."""

    name: str
    composed: Composed

    def left(self) -> list[str]:
        """Its containers, networks and volumes."""
        mine = f"label=com.docker.compose.project={self.name}"
        kinds = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
        found = [self.composed.docker(*kind, "--quiet", "--filter", mine) for kind in kinds]
        return "".join(found).split()


@pytest.fixture
def composed(platform_config: PlatformConfig) -> Composed:
    """Not up: nothing is started here."""
    return Composed(platform_config, random.SystemRandom())


@pytest.fixture
def abandoned(composed: Composed) -> Project:
    project = Project(f"{PREFIX}{NOBODY}-1", composed)
    composed.compose("--project-name", project.name, "create", "postgres")
    return project


def test_projects_of_killed_runs_go_and_the_own_one_stays(
    composed: Composed, abandoned: Project
) -> None:
    assert abandoned.left()
    own = Project(composed.project, composed)
    composed.compose("create", "postgres")
    try:
        composed.remove_leftovers()
        assert abandoned.left() == []
        assert own.left()
    finally:
        composed.down("--volumes")
    assert own.left() == []


def test_every_volume_has_a_name_so_that_who_removes_a_project_finds_it(
    composed: Composed,
) -> None:
    composed.compose("create", "kafka", "postgres")
    try:
        ids = composed.compose("ps", "--all", "--quiet").split()
        volumes = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
        names = composed.docker("inspect", "--format", volumes, *ids).split()
        assert sorted(names) == [f"{composed.project}_kafka", f"{composed.project}_postgres"]
    finally:
        composed.down("--volumes")
