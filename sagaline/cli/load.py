"""`sagactl load`: orders a second, latency and cost; and are the books right after."""

import os
import random
from typing import Annotated

import typer

from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, print_facts, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local import books
from sagaline.local.client import Client, Json
from sagaline.local.load import Load, Report

QUIET_WITHIN_S = 60.0


def load(
    orders: Annotated[int, typer.Option(min=1, help="Orders that are counted.")] = 2_000,
    in_flight: Annotated[int, typer.Option(min=1, help="Orders under way at once.")] = 64,
    warm_up: Annotated[int, typer.Option(min=0, help="Orders before, not counted.")] = 200,
    seed: Annotated[int | None, typer.Option(help="Makes the same orders again.")] = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Place orders as fast as they complete, measure it, and check the books afterwards.

    An order is complete when the gateway shows it CONFIRMED or REJECTED. The processor time is that
    of the whole machine, this command's own share included.

    Exit 0: all were CONFIRMED and the books are right; 1: they aren't.

    Examples:

      ./sagactl load --orders 2000 --in-flight 64

      ./sagactl load --orders 500 --in-flight 1 --json
    """
    chosen = random.SystemRandom().getrandbits(32) if seed is None else seed
    rng = random.Random(chosen)  # noqa: S311 - orders to measure with, no secrets

    async def measured(client: Client) -> tuple[Report, list[str]]:
        loop = Load(client, in_flight=in_flight, rng=rng)
        await loop.prepare()
        if warm_up:
            await loop.run(warm_up)
        report = await loop.run(orders)
        return report, (await books.quiet(client, within_s=QUIET_WITHIN_S)).problems

    report, problems = place.ask(state, measured)
    problems += [
        f"{count} orders ended {status}"
        for status, count in report.statuses.items()
        if status != "CONFIRMED"
    ]
    document = _document(report, problems, in_flight=in_flight, seed=chosen)
    if json:
        print_json(document)
    else:
        _print(report, problems, document)
    raise typer.Exit(Exit.FAILED if problems else Exit.DONE)


def _document(report: Report, problems: list[str], *, in_flight: int, seed: int) -> Json:
    return {
        "in_flight": in_flight,
        "seed": seed,
        **report.figures(),
        "cpus": os.cpu_count(),
        "problems": problems,
    }


def _print(report: Report, problems: list[str], found: Json) -> None:
    print_facts(
        {
            "orders": f"{report.orders}, {found['in_flight']} in flight, seed {found['seed']}",
            "completed": f"{found['orders_per_s']} orders/s, in {report.seconds:.1f} s",
            "latency": f"p50 {found['p50_ms']} ms, p95 {found['p95_ms']}, p99 {found['p99_ms']}",
            "machine CPU": f"{found['cpu_ms_per_order']} ms an order, {found['cpus']} processors; "
            f"{found['cpu_ms_per_order_of_load']} of it this command's",
            "stolen": f"{found['steal_s']} s of processor time",
            "books": "right" if not problems else "WRONG",
        }
    )
    for problem in problems:
        console().print(f"  {problem}", style="red", markup=False)
