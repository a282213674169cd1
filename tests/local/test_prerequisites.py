"""A machine that can't run the platform is told so before anything starts."""

from collections import namedtuple
from pathlib import Path

import pytest

from sagaline.local import prerequisites
from sagaline.local.errors import MissingPrerequisite

Usage = namedtuple("Usage", "total used free")


def test_this_machine_can_run_it(tmp_path: Path) -> None:
    prerequisites.require(tmp_path, installing=True)


def test_everything_that_is_missing_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(2**40, 2**40, 0))
    with pytest.raises(MissingPrerequisite) as refusal:
        prerequisites.require(tmp_path, installing=True)
    text = str(refusal.value)
    for named in ("x86-64 or arm64, this is Linux on riscv64", "python3-venv", "0 are free"):
        assert named in text


@pytest.mark.parametrize(
    "system, machine, runs",
    [
        ("Linux", "x86_64", True),
        ("Linux", "aarch64", True),
        ("Linux", "i686", False),
        ("Darwin", "arm64", False),
        ("Darwin", "x86_64", False),
    ],
)
def test_the_machines_that_there_are_servers_for(
    system: str, machine: str, *, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert (prerequisites.system() is None) == runs


def test_what_is_installed_already_needs_no_more_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(2**40, 2**40, 0))
    prerequisites.require(tmp_path, installing=False)


@pytest.mark.parametrize(
    "limit, used, available_mib",
    [("max", "0", 8192), (str(2**31), str(2**30), 1024), (str(2**40), "0", 8192)],
)
def test_in_a_container_its_own_limit_counts(
    tmp_path: Path, limit: str, used: str, available_mib: int
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    8388608 kB\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/memory.max").write_text(limit + "\n")
    (tmp_path / "sys/fs/cgroup/memory.current").write_text(used + "\n")
    assert prerequisites.memory_available_mib(tmp_path) == available_mib
