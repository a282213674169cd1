"""The machine and what is installed on it, whether a platform runs or not."""

import hashlib
import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sagaline.local import kafka_jars, prerequisites
from sagaline.local.doctor.finding import Finding, note, unless, wrong
from sagaline.local.kafka_jars import Pin

PINS = Path("requirements/dev.txt")
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\\n]+)([^\\\n]*)", re.MULTILINE)
SHOWN_MAX = 5


def examine(root: Path, *, runs: bool) -> Iterator[Finding]:
    """Look at the machine; a platform that `runs` has taken its memory already."""
    python = f"Python {platform.python_version()}, {sys.prefix}"
    yield from _needs("system", [prerequisites.system(), prerequisites.python()], python)
    free_mib = prerequisites.disk_free_mib(root)
    yield from _needs("disk", [prerequisites.disk(root)], f"{free_mib} MiB free below {root}")
    available_mib = prerequisites.memory_available_mib()
    lacks = [] if runs else [prerequisites.memory()]
    yield from _needs("memory", lacks, f"{available_mib} MiB available")
    yield from _packages(root / PINS)
    yield from downloads(kafka_jars.pins(), kafka_jars.directory())


def downloads(pins: Sequence[Pin], folder: Path) -> list[Finding]:
    """Look at Kafka's jars in the cache: each is there, and is the one that was pinned."""
    missing = [pin for pin in pins if not (folder / pin.filename).exists()]
    if missing:
        text = f"{len(missing)} of {len(pins)} jars of Kafka are missing in {folder}"
        return [note("downloads", text, "the next './sagactl up' fetches them")]
    faults = [
        wrong("downloads", f"{folder / pin.filename} is not the pinned one", "remove that file")
        for pin in pins
        if _sha256(folder / pin.filename) != pin.sha256
    ]
    return unless(faults, "downloads", f"{len(pins)} jars of Kafka, their hashes are right")


def packages(pinned: str) -> Iterator[str]:
    """Say which installed packages are not those that `pinned`, a requirements file, names."""
    for name, version, marker in PINNED.findall(pinned):
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if ";" not in marker:  # with a marker, it may not be meant for this Python
                yield f"{name} is missing"
            continue
        if found != version:
            yield f"{name} is {found}, pinned is {version}"


def _packages(pins: Path) -> list[Finding]:
    if not pins.exists():  # an installed wheel: its environment is its owner's
        return []
    text = pins.read_text()
    differing = list(packages(text))
    more = f" and {len(differing) - SHOWN_MAX} more" if len(differing) > SHOWN_MAX else ""
    said = "; ".join(differing[:SHOWN_MAX]) + more
    faults = [wrong("packages", said, "'make clean', then './sagactl' again")] if said else []
    return unless(faults, "packages", f"{len(PINNED.findall(text))} as pinned in {PINS}")


def _needs(about: str, lacks: Sequence[str | None], text: str) -> list[Finding]:
    remedy = "see the README, what it needs"
    return unless((wrong(about, lack, remedy) for lack in lacks if lack), about, text)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
