"""One measurement: a row of the table, on a platform of its own."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from bench.rows import Row
from sagaline.local import process_usage, vitals
from sagaline.local.client import Client
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.load.course import Moment
from sagaline.local.load.plan import Plan, run
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.run_file import RunFile
from sagaline.local.throw_away_platform import throw_away_platform

SETTLE_S = 10.0
EARLY, LATE = (0.2, 0.4), (0.8, 1.0)  # of five minutes: the second, and the fifth


def measure(row: Row, *, seed: int) -> dict[str, object]:
    """Start a platform, put it under the row's load, and give the figures and their course."""
    with throw_away_platform(
        PlatformConfig.find(Path(__file__).parent),
        rng=random.SystemRandom(),
        tell=lambda _: None,  # the row is told of; what stands in the way of a start is raised
    ) as platform:
        run_file = RunFile.read(platform.state.path)
        assert run_file is not None, "a platform that has started has written what runs"
        if row.plan is None:
            return asyncio.run(_idle(platform, run_file, row.idle_s))
        return asyncio.run(_loaded(platform, run_file, row.plan, seed=seed))


async def _loaded(
    platform: EmbeddedPlatform, run_file: RunFile, plan: Plan, *, seed: int
) -> dict[str, object]:
    async with Client(platform.urls, platform.operator_urls) as client:
        result = await run(client, run_file, plan, rng=random.Random(seed))
    counted = [moment for moment in result.course.moments if moment.counted]
    return {
        **result.figures(),
        "growth": growth(counted) if plan.rate_per_s is not None else {},
        "course": result.course.series(),
    }


async def _idle(platform: EmbeddedPlatform, run_file: RunFile, seconds: float) -> dict[str, object]:
    del platform  # it only has to be there
    pids = vitals.processes(run_file)
    await asyncio.sleep(SETTLE_S)
    before = process_usage.of(pids)
    await asyncio.sleep(seconds)
    after = process_usage.of(pids)
    percent = {n: 100 * (after[n].cpu_s - before[n].cpu_s) / seconds for n in after}
    return {
        "cpu_percent_of_one": round(sum(percent.values()), 1),
        "memory_mib": sum(usage.memory_mib for usage in after.values()),
        "processes": {
            name: {"cpu_percent": round(percent[name], 1), "memory_mib": usage.memory_mib}
            for name, usage in after.items()
        },
        "problems": [],
    }


def growth(moments: Sequence[Moment]) -> Mapping[str, float]:
    """Give how much more waited, and was taken, late in a window than early in it."""
    early, late = _part(moments, EARLY), _part(moments, LATE)
    if not early or not late:
        return {}
    return {
        "lag": _ratio([m.lag_records for m in late], [m.lag_records for m in early]),
        "outbox_age": _ratio([m.outbox_oldest_s for m in late], [m.outbox_oldest_s for m in early]),
        "memory_percent": round(100 * (_memory(late) / _memory(early) - 1), 1),
    }


def _part(moments: Sequence[Moment], between: tuple[float, float]) -> Sequence[Moment]:
    return moments[int(between[0] * len(moments)) : int(between[1] * len(moments))]


def _ratio(late: Sequence[float], early: Sequence[float]) -> float:
    """Nothing waited late: 0; nothing early, but something late: what waited late."""
    return round(fmean(late) / (fmean(early) or 1.0), 2)


def _memory(moments: Sequence[Moment]) -> float:
    return fmean(sum(usage.memory_mib for usage in m.usage.values()) for m in moments)
