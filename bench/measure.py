"""One run of a row, on a platform that is there for it alone: its result document."""

import asyncio
import os
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import steady, streams
from bench.rows import Row, Streams
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.load import origin, result
from sagaline.local.load.run import run
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.run_file import RunFile
from sagaline.local.throw_away_platform import throw_away_platform

HERE = Path(__file__).parent


def measure(row: Row, *, seed: int) -> dict[str, Any]:
    """Start a platform, put the row's load on it, stop it; give the document."""
    with throw_away_platform(
        PlatformConfig.find(HERE),
        rng=random.SystemRandom(),
        tell=lambda happening: print(happening, file=sys.stderr),
    ) as platform:
        if isinstance(row.what, Streams):
            return _streams(platform, row.what, name=row.name)
        run_file = RunFile.read(platform.state.path)
        assert run_file is not None
        outcome = run(row.what, run_file, seed=seed)
    document = result.document(outcome, name=row.name)
    document["figures"] = result.figures(outcome) | {
        "steady": steady.figures(result.series(outcome.window))
    }
    return document


def _streams(platform: EmbeddedPlatform, what: Streams, *, name: str) -> dict[str, Any]:
    figures = asyncio.run(streams.measure(platform, what.clients, what.seconds))
    return {
        "format": result.FORMAT,
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": origin.revision(HERE),
        "versions": origin.versions(),
        "machine": origin.machine(),
        "settings": origin.settings(os.environ),
        "mode": "streams",
        "figures": figures,
        "series": [],
        "problems": [],
    }
