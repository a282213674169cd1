"""One run of a row, on a platform that is there for it alone: its result document."""

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

from bench import steady, streams, yardstick
from bench.rows import Row, Streams
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.load import result
from sagaline.local.load.run import run
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.run_file import RunFile
from sagaline.local.throw_away_platform import throw_away_platform

HERE = Path(__file__).parent


def measure(row: Row, *, seed: int) -> dict[str, Any]:
    """Start a platform, put the row's load on it, stop it; give the document."""
    before_ms = yardstick.measure_ms()
    document = _measured(row, seed=seed)
    document["figures"]["yardstick_ms"] = round((before_ms + yardstick.measure_ms()) / 2, 2)
    return document


def _measured(row: Row, *, seed: int) -> dict[str, Any]:
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
    document: dict[str, Any] = result.document(outcome, name=row.name)
    document["figures"]["steady"] = steady.figures(document["series"])
    return document


def _streams(platform: EmbeddedPlatform, what: Streams, *, name: str) -> dict[str, Any]:
    figures = asyncio.run(streams.measure(platform, what.clients, what.seconds))
    return {
        **result.heading(name=name),
        "mode": "streams",
        "figures": figures,
        "series": [],
        "problems": [],
    }
