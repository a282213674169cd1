"""Kafka's jars: resolved by jgo from Maven Central or its mirror, checked, kept for good.

`deploy/kafka.sha256` names every jar, with its SHA-256. A jar gets its name in the cache only after
its hash was right: so what lies there is whole, and an interrupted download is simply done again.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from sagaline.chassis.errors import PlatformError
from sagaline.local import cache, maven_settings
from sagaline.local.errors import DownloadFailed, WrongJarHash

if TYPE_CHECKING:
    from jgo.maven import MavenContext

DOWNLOADS_AT_ONCE = 6
TIMEOUT_S = 30
PROGRESS_EACH = 10


@dataclass(frozen=True, slots=True)
class Pin:
    """One jar, and the hash that it must have."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def filename(self) -> str:
        """The jar's name, in Maven's way."""
        return f"{self.artifact}-{self.version}.jar"


def directory() -> Path:
    """Give the folder with the jars; another list of pins has another folder."""
    return cache.directory() / f"kafka-{_digest(_pin_file().encode())[:12]}"


def install(say: Callable[[str], None] = lambda _: None) -> Path:
    """Bring the jars that are missing; give their folder. `say` gets a line about the progress.

    Without any missing, nothing is asked from the network. Raises DownloadFailed, WrongJarHash.
    """
    folder = directory()
    bring(pins(), folder, say)
    return folder


def bring(wanted: Sequence[Pin], folder: Path, say: Callable[[str], None]) -> None:
    """Every wanted jar lies in `folder`, whole; those that were there are not asked for."""
    missing = [pin for pin in wanted if not (folder / pin.filename).exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        _download(missing, folder, say)


def pins() -> list[Pin]:
    """Give the pinned jars."""
    lines = [line.split() for line in _pin_file().splitlines()]
    return [Pin(sha256, *coordinates.split(":")) for sha256, coordinates in lines]


def _download(missing: list[Pin], folder: Path, say: Callable[[str], None]) -> None:
    # Here, since it is seldom needed: no command is to wait for it.
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, maven_settings.proxies():
        context = MavenContext(
            repo_cache=Path(scratch),
            local_repos=[path for path in [maven_settings.local_repository()] if path.is_dir()],
            remote_repos={"central": maven_settings.central()},
            timeout=TIMEOUT_S,
        )
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as threads:
            fetched = threads.map(lambda pin: _fetch(context, pin, folder), missing)
            for number, pin in enumerate(fetched, start=1):
                if number % PROGRESS_EACH == 0 or number == len(missing):
                    say(f"  {number} of {len(missing)}: {pin.filename}")


def _fetch(context: "MavenContext", pin: Pin, folder: Path) -> Pin:
    project = context.project(pin.group, pin.artifact)
    try:
        jar = project.at_version(pin.version).artifact().resolve()
    except (OSError, RuntimeError) as error:  # jgo's and requests' own
        raise DownloadFailed(jar=pin.filename, reason=error) from error
    found = _digest(jar.read_bytes())
    if found != pin.sha256:
        raise WrongJarHash(
            jar=pin.filename, found=found, expected=pin.sha256, repository=jar.parent
        )
    half_copied = folder / f".{pin.filename}.{os.getpid()}"
    shutil.copyfile(jar, half_copied)
    half_copied.replace(folder / pin.filename)
    return pin


def _pin_file() -> str:
    return (resources.files("sagaline.local") / "data" / "kafka.sha256").read_text()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    try:
        install(say=print)
    except PlatformError as error:
        raise SystemExit(f"sagaline: {error}") from None
