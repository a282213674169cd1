"""A closed loop of orders against real processes: how many a second, how fast, at what cost.

Each figure comes from a platform of its own, so that none finds the other's rows. `./sagactl load`
runs the same loop against `./sagactl up`.
"""

import argparse
import asyncio
import json
import os
import platform as machine
import random
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sagaline.local import books
from sagaline.local.client import Client
from sagaline.local.load import Load, Report
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.throw_away_platform import throw_away_platform

RESULTS = Path(__file__).parent / "results" / "closed_loop.jsonl"
WARM_UP = 300
QUIET_WITHIN_S = 60.0


def main() -> None:
    """Measure at each number of orders in flight; exit 1 if any books are wrong."""
    options = _options()
    wrong = False
    for in_flight in options.in_flight:
        report, problems = measure(options.orders, in_flight=in_flight, seed=options.seed)
        result = _result(report, in_flight=in_flight, seed=options.seed)
        print(json.dumps(result))
        for problem in problems:
            print(f"WRONG: {problem}", file=sys.stderr)
        wrong = wrong or bool(problems)
        if options.record and not problems:
            RESULTS.parent.mkdir(exist_ok=True)
            with RESULTS.open("a") as results:
                results.write(json.dumps(result) + "\n")
    sys.exit(1 if wrong else 0)


def measure(orders: int, *, in_flight: int, seed: int) -> tuple[Report, list[str]]:
    """Run the loop on a throw-away platform; give the figures, and what is wrong afterwards."""
    config = PlatformConfig.find(Path(__file__).parent)
    with throw_away_platform(
        config,
        rng=random.SystemRandom(),
        tell=lambda happening: print(happening, file=sys.stderr),
    ) as platform:
        return asyncio.run(_loop(platform.urls, orders, in_flight=in_flight, seed=seed))


async def _loop(
    urls: Mapping[str, str], orders: int, *, in_flight: int, seed: int
) -> tuple[Report, list[str]]:
    async with Client(urls) as client:
        load = Load(client, in_flight=in_flight, rng=random.Random(seed))
        await load.prepare()
        await load.run(WARM_UP)
        report = await load.run(orders)
        ledger = await books.quiet(client, within_s=QUIET_WITHIN_S)
    unconfirmed = orders - report.statuses.get("CONFIRMED", 0)
    return report, [*ledger.problems, *([f"{unconfirmed} not CONFIRMED"] if unconfirmed else [])]


def _result(report: Report, *, in_flight: int, seed: int) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} x {machine.machine()}, Linux {machine.release()}",
        "python": machine.python_version(),
        "in_flight": in_flight,
        "seed": seed,
        **report.figures(),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[64, 1])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help=f"append to {RESULTS.name}")
    return parser.parse_args()
