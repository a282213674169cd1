"""What a result was measured with: code, versions, machine, and the settings that were changed."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

import sagaline
from sagaline.local import kafka_jars, postgres

LIBRARIES = (
    "aiokafka",
    "asyncpg",
    "fastapi",
    "fastavro",
    "hdrhistogram",
    "pydantic",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "uvloop",
)
SECRET = ("PASSWORD", "SECRET", "TOKEN", "KEY", "DSN", "URL")


def versions() -> dict[str, str]:
    """Give what runs, and the libraries that matter for its speed."""
    kafka = next(pin.version for pin in kafka_jars.pins() if pin.artifact == "kafka-clients")
    command = [str(postgres.binary("postgres")), "--version"]
    server = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {
        "sagaline": sagaline.__version__,
        "python": platform.python_version(),
        # Of one version builds differ by half: one was optimised by a profile, another wasn't.
        "python_build": f"{' '.join(platform.python_build())}, {platform.python_compiler()}",
        "kafka": kafka,
        "postgresql": server.split()[-1],
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def machine() -> dict[str, object]:
    """Give processors, memory and kernel."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": os.cpu_count(),
        "model": models[0] if models else platform.machine(),
        "memory_mib": pages // 2**20,
        "kernel": platform.release(),
    }


def revision(checkout: Path) -> dict[str, object] | None:
    """Give the commit, and whether anything differs from it; None outside a checkout."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(checkout), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # A recorded result is no change of what is measured.
        changed = git("status", "--porcelain", "--", ".", ":!bench/results")
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(changed)}
    except (OSError, subprocess.CalledProcessError):
        return None


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the settings that this environment changes; not those that may hold a secret."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith("SAGALINE_") and not any(word in name for word in SECRET)
    }
