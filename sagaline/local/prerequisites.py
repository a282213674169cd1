"""What a machine must have before anything is installed or started. Standard library only."""

import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from sagaline.local.errors import MissingPrerequisite

PYTHON_MIN = (3, 11)
# For both there are wheels of the JDK and of PostgreSQL; on arm64 nobody has tried them. There are
# some for macOS, too, but what ends our processes with their supervisor is Linux's own.
MACHINES = frozenset({"x86_64", "aarch64"})
DISK_MIB = 1_500  # .venv takes 450, Kafka's jars 45, data and logs of a long day the rest
MEMORY_MIB = 1_500  # of it 900 at rest: Kafka 260, PostgreSQL 150, six services at 80 each


def require(folder: Path, *, installing: bool) -> None:
    """This machine can install (or, when that is done, run) the platform in `folder`.

    Raises MissingPrerequisite, which names everything that is missing.
    """
    problems = list(missing(folder, installing=installing))
    if problems:
        raise MissingPrerequisite(reason="; ".join(problems))


def missing(folder: Path, *, installing: bool) -> Iterator[str]:
    """Give a sentence for each thing that is missing."""
    lacks = [system(), python(), memory()]
    if installing:
        lacks += [venv(), disk(folder)]
    yield from (lack for lack in lacks if lack)


def system() -> str | None:
    """Say what is wrong with the operating system."""
    found, machine = platform.system(), platform.machine()
    if found != "Linux" or machine not in MACHINES:
        return f"it needs Linux on x86-64 or arm64, this is {found} on {machine}"
    if platform.libc_ver()[0] != "glibc":
        return "it needs a Linux with glibc (Debian, Ubuntu, Fedora; not Alpine)"
    return None


def python() -> str | None:
    """Say what is wrong with this Python."""
    if sys.version_info < PYTHON_MIN:
        return f"it needs Python 3.11 or newer, this is {platform.python_version()}"
    return None


def venv() -> str | None:
    """Say why no environment can be made."""
    if importlib.util.find_spec("ensurepip") is None:
        return "Python's venv module is not whole: install python3-venv (Debian, Ubuntu)"
    return None


def disk(folder: Path) -> str | None:
    """Say how much room is missing where `folder` lies."""
    free_mib = disk_free_mib(folder)
    if free_mib < DISK_MIB:
        return f"it needs {DISK_MIB} MiB of disk below {folder}, {free_mib} are free"
    return None


def memory() -> str | None:
    """Say how much memory is missing."""
    available_mib = memory_available_mib()
    if available_mib is not None and available_mib < MEMORY_MIB:
        return f"it needs {MEMORY_MIB} MiB of memory, {available_mib} are available"
    return None


def disk_free_mib(folder: Path) -> int:
    """Give the room that is left where `folder` lies."""
    return shutil.disk_usage(folder).free // 2**20


def memory_available_mib(root: Path = Path("/")) -> int | None:
    """Give what this process and its children may still take, or None where nothing says it."""
    found = [mib for mib in (_machine_mib(root), _container_mib(root)) if mib is not None]
    return min(found, default=None)


def _machine_mib(root: Path) -> int | None:
    path = root / "proc/meminfo"
    if not path.exists():
        return None
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) // 1024


def _container_mib(root: Path) -> int | None:
    """Read the limit of the control group: in a container, the machine's memory is not ours."""
    limit, used = (root / "sys/fs/cgroup" / name for name in ("memory.max", "memory.current"))
    if not limit.exists() or not used.exists() or limit.read_text().strip() == "max":
        return None
    return (int(limit.read_text()) - int(used.read_text())) // 2**20
