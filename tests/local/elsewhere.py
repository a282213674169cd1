"""The wheel, installed into an environment of its own, away from the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
TIMEOUT_S = 300


@dataclass(frozen=True)
class Elsewhere:
    """An environment with the wheel in it, and a folder to call its programs from."""

    environment: Path
    folder: Path

    @property
    def site(self) -> Path:
        """Where the wheel's files are."""
        return _site(self.environment)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's programs to its end; its output, with what it complains."""
        with self.started(program, *arguments) as process:
            output, _ = process.communicate(timeout=TIMEOUT_S)
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    @contextmanager
    def started(self, program: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """One of the environment's programs, which ends with the block at the latest."""
        ours = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "SAGALINE"))}
        with subprocess.Popen(
            [self.environment / "bin" / program, *arguments],
            cwd=self.folder,
            env=ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


def built(folder: Path) -> Path:
    """Build the wheel into `folder`; its path."""
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = folder.glob("sagaline-*.whl")
    return wheel


def installed(wheel: Path, environment: Path, folder: Path, *, whole: bool = True) -> Elsewhere:
    """Install the wheel. `whole`: with what it needs, taken from the environment we run in."""
    venv.create(environment, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"))
    options = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    subprocess.run((*pip, "install", *options, str(wheel)), check=True)
    if whole:
        # A path in a .pth adds that folder and reads none of the .pth in it: not our checkout's.
        borrowed = sysconfig.get_path("purelib")
        (_site(environment) / "borrowed.pth").write_text(borrowed)
        ruff = Path(sysconfig.get_path("scripts")) / "ruff"
        (environment / "bin" / "ruff").symlink_to(ruff)
    return Elsewhere(environment, folder)


def _site(environment: Path) -> Path:
    (site,) = environment.glob("lib/python3*/site-packages")
    return site
