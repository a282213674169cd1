"""What the doctor finds on a machine: ports, downloads, packages, and what a kill left behind."""

import hashlib
import importlib.metadata
import json
import os
import random
import socket
from pathlib import Path

import pytest

from sagaline.local.doctor import listeners, machine, remains
from sagaline.local.doctor.finding import Finding, Verdict
from sagaline.local.kafka_jars import Pin
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.process_key import ProcessKey
from sagaline.local.state_directory import StateDirectory

CHECKOUT = Path(__file__).parents[3]
GONE = ProcessKey(2**22 + 1, 1)  # above the kernel's highest pid


@pytest.fixture
def config() -> PlatformConfig:
    return PlatformConfig.find(CHECKOUT).with_free_ports(random.SystemRandom())


def verdicts(findings: list[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def pin(text: str, artifact: str) -> Pin:
    return Pin(hashlib.sha256(text.encode()).hexdigest(), "org.example", artifact, "1")


def test_free_ports_are_well_while_nothing_runs(config: PlatformConfig) -> None:
    findings = listeners.examine(config, runs=False, ours=frozenset())
    assert verdicts(findings) == [Verdict.OK]


def test_a_port_that_somebody_holds_is_named_with_holder_and_setting(
    config: PlatformConfig,
) -> None:
    with socket.create_server(("127.0.0.1", config.ports.kafka)):
        (fault,) = listeners.examine(config, runs=False, ours=frozenset())
    assert fault.verdict is Verdict.WRONG
    assert f"{config.ports.kafka} is held by " in fault.text
    assert f"({os.getpid()})" in fault.text
    assert "ports.kafka in sagaline.toml" in fault.remedy


def test_a_port_that_a_killed_platform_still_holds_is_no_fault_of_its_own(
    config: PlatformConfig,
) -> None:
    with socket.create_server(("127.0.0.1", config.ports.kafka)):
        findings = listeners.examine(config, runs=False, ours={os.getpid()})
    assert verdicts(findings) == [Verdict.OK]


def test_ports_of_a_platform_that_runs_are_to_be_held_by_it(config: PlatformConfig) -> None:
    with socket.create_server(("127.0.0.1", config.ports.kafka)):
        faults = listeners.examine(config, runs=True, ours={os.getpid()})
    texts = [fault.text for fault in faults]
    assert len(faults) == len(listeners.wanted(config)) - 1
    assert f"nobody listens on {config.ports.postgres} (ports.postgres)" in texts


def test_a_download_that_is_not_the_pinned_one_is_a_fault(tmp_path: Path) -> None:
    pins = [pin("one", "one"), pin("two", "two")]
    for each, text in zip(pins, ("one", "two"), strict=True):
        (tmp_path / each.filename).write_text(text)
    assert verdicts(machine.downloads(pins, tmp_path)) == [Verdict.OK]
    (tmp_path / pins[1].filename).write_text("changed")
    (fault,) = machine.downloads(pins, tmp_path)
    assert fault.verdict is Verdict.WRONG
    assert str(tmp_path / pins[1].filename) in fault.text


def test_downloads_that_are_missing_are_no_fault(tmp_path: Path) -> None:
    assert verdicts(machine.downloads([pin("one", "one")], tmp_path)) == [Verdict.NOTE]


def test_packages_are_compared_with_their_pins() -> None:
    rich = importlib.metadata.version("rich")
    pinned = f"rich=={rich} \\\n    --hash=sha256:00\nhttpx==0.0.1 \\\n    --hash=sha256:00\n"
    pinned += "no-such-thing==1\nno-such-either==1 ; python_version < '3.0'\n"
    said = list(machine.packages(pinned))
    assert said == [
        f"httpx is {importlib.metadata.version('httpx')}, pinned is 0.0.1",
        "no-such-thing is missing",
    ]


def test_nothing_is_left_where_nothing_ever_ran(tmp_path: Path) -> None:
    assert verdicts(remains.examine(StateDirectory(tmp_path / "none"))) == [Verdict.OK]
    assert not (tmp_path / "none").exists(), "looking made it"


def test_a_stale_pid_file_and_a_server_that_still_runs_are_told_apart(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    us = ProcessKey.of(os.getpid())
    assert us is not None
    state.kafka.mkdir()
    for server, said in ((GONE, "is gone"), (us, "still runs")):
        pids = {"server": [server.pid, server.started_ticks], "guard": [GONE.pid, 1]}
        (state.kafka / "pid").write_text(json.dumps(pids))
        (fault,) = remains.examine(state)
        assert fault.verdict is Verdict.WRONG
        assert f"process {server.pid}, which {said}" in fault.text
        assert remains.pids(state) == ({us.pid} if server == us else set())
        assert "./sagactl down" in fault.remedy
