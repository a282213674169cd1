"""A folder with a sagaline.toml of its own, and `sagactl` in it as people and scripts use it."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sagaline.local.platform_config import FILENAME, PlatformConfig
from sagaline.local.process_key import ProcessKey
from sagaline.local.run_file import RunFile
from tests.integration.forked_command import run_command

CHECKOUT = Path(__file__).parents[3]
UP_WITHIN_S = 100.0


@dataclass(frozen=True)
class Folder:
    """A folder with a sagaline.toml of its own, from which sagactl is called."""

    path: Path

    @property
    def state(self) -> Path:
        return self.path / ".sagaline"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "sagaline.cli", *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(self.path)}

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        return run_command(
            arguments, folder=self.path, environment=self.environment(), timeout_s=timeout_s
        )

    def json(self, *arguments: str) -> dict[str, object]:
        """Run it with --json; stdout must be one document and nothing else."""
        document = json.loads(self.run(*arguments, "--json").stdout)
        assert isinstance(document, dict)
        return document

    def start(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        with (self.path / "out").open("a") as out:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.path,
                env={**self.environment(), **settings},
                stdout=out,
                stderr=out,
                text=True,
                start_new_session=True,
            )

    def output(self) -> str:
        return (self.path / "out").read_text()


def a_folder(path: Path) -> Folder:
    """The checkout's platform, on ports of its own."""
    config = PlatformConfig.find(CHECKOUT).with_free_ports(random.SystemRandom())
    services = "\n".join(
        f"[services.{s.name}]\nport = {s.port}\noperator_port = {s.operator_port}\n"
        f'settings = "{s.settings_prefix}"'
        for s in config.services
    )
    ports = config.ports
    (path / FILENAME).write_text(
        f'schemas = "{config.schemas}"\n[ports]\npostgres = {ports.postgres}\n'
        f"kafka = {ports.kafka}\nkafka_controller = {ports.kafka_controller}\n{services}\n"
    )
    path.chmod(0o755)
    return Folder(path)


def until(met: Callable[[], bool], *, within_s: float, what: str) -> None:
    deadline_s = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        time.sleep(0.1)


def processes(folder: Folder) -> list[ProcessKey]:
    """All that run.json tells of: services, Kafka, PostgreSQL."""
    run_file = RunFile.read(folder.state)
    assert run_file is not None
    servers = [run_file.kafka.process, run_file.postgres.process]
    return [*run_file.service_processes(), *(process for process in servers if process)]


def wait_until_up(folder: Folder, process: "subprocess.Popen[str]") -> None:
    def is_up() -> bool:
        assert process.poll() is None, folder.output()
        output = folder.output()
        return "The platform runs" in output or '"happening": "Up"' in output

    until(is_up, within_s=UP_WITHIN_S, what="sagactl up")


@contextmanager
def running(folder: Folder, *options: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """A platform that `sagactl up` runs in the folder."""
    process = folder.start("up", *options, **settings)
    try:
        wait_until_up(folder, process)
        yield process
    finally:
        process.terminate()
        process.wait(30)
