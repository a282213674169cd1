"""`sagactl load`: orders a second, latency and cost; and are the books right after."""

import asyncio
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, print_facts, print_json, print_table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.client import Client, Json
from sagaline.local.load.plan import Plan, Result, run

TITLES = ("", "CPU/order", "CPU", "MiB", "growth")
CLOSED_ORDERS = 2_000
OPEN_S = 60.0


def load(
    in_flight: Annotated[int, typer.Option(min=1, help="Orders under way at once.")] = 64,
    rate: Annotated[
        float | None,
        typer.Option(min=0.1, help="Orders a second, sent when due, answered or not."),
    ] = None,
    orders: Annotated[
        int | None,
        typer.Option(min=1, help=f"Orders that are counted.  [default: {CLOSED_ORDERS}]"),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1.0, help="Count for so long, not by orders.")
    ] = None,
    warm_up_s: Annotated[
        float, typer.Option(min=0.0, help="With --seconds: how long before, not counted.")
    ] = 10.0,
    warm_up: Annotated[
        int, typer.Option(min=0, help="With --orders: how many before, not counted.")
    ] = 200,
    reads: Annotated[
        float | None, typer.Option(min=0.1, help="Look at orders so often a second, too.")
    ] = None,
    declined: Annotated[
        float, typer.Option(min=0.0, max=100.0, help="Percent of the orders without credit.")
    ] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Makes the same orders again.")] = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Place orders, measure what they take and cost, and check the books afterwards.

    In a closed loop (--in-flight) each customer waits for the end of an order before placing the
    next. With --rate orders are sent when they are due, and latency counts from then: a platform
    that stands still can't hide it. An order is complete when the gateway shows it CONFIRMED or
    REJECTED. CPU is that of the whole machine, this command's own share apart.

    Exit 0: all ended as they had to and the books are right; 1: not so; 2: wrong options.

    Examples:

      ./sagactl load --orders 2000 --in-flight 64

      ./sagactl load --orders 500 --in-flight 1 --json

      ./sagactl load --rate 50 --seconds 30 --reads 50 --declined 5
    """
    if rate is not None and orders is not None:
        raise typer.BadParameter(
            "counts a closed loop; with --rate say --seconds", param_hint="--orders"
        )
    if seconds is not None and orders is not None:
        raise typer.BadParameter("or --orders, not both", param_hint="--seconds")
    counted = orders or CLOSED_ORDERS if rate is None and seconds is None else None
    plan = Plan(
        in_flight=in_flight,
        rate_per_s=rate,
        orders=counted,
        warm_up_orders=warm_up if counted else 0,
        seconds=seconds or OPEN_S,
        warm_up_s=warm_up_s,
        reads_per_s=reads,
        declined_percent=declined,
    )
    chosen = random.SystemRandom().getrandbits(32) if seed is None else seed
    rng = random.Random(chosen)  # noqa: S311 - orders to measure with, no secrets
    result = asyncio.run(_measured(plan, rng, state))
    document = {**settings(plan), "seed": chosen, "cpus": os.cpu_count(), **result.figures()}
    if json:
        print_json(document)
    else:
        _print(result, document)
    raise typer.Exit(Exit.FAILED if result.problems else Exit.DONE)


async def _measured(plan: Plan, rng: random.Random, state: Path | None) -> Result:
    run_file = place.running(state)
    async with Client(run_file.urls, run_file.operator_urls) as client:
        return await run(client, run_file, plan, rng=rng)


def settings(plan: Plan) -> Json:
    """Give what of the plan was used."""
    closed = plan.rate_per_s is None
    found = {
        "in_flight": plan.in_flight if closed else None,
        "rate_per_s": plan.rate_per_s,
        "reads_per_s": plan.reads_per_s,
        "declined_percent": plan.declined_percent or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _print(result: Result, found: Json) -> None:
    loop = (
        f"{found['rate_per_s']} a second"
        if "rate_per_s" in found
        else f"{found['in_flight']} in flight"
    )
    facts = {
        "orders": f"{found['orders']}, {loop}, seed {found['seed']}",
        "completed": f"{found['orders_per_s']} orders/s, in {found['seconds']} s",
        "latency": _latency(found),
        "sagas": f"{found['sagas_ended_per_s']} ended a second",
        "CPU": f"{found['cpu_ms_per_order']} ms an order, and {found['cpu_ms_per_order_of_load']} "
        f"of this command; {found['cpu_percent']} % of {found['cpus']} processors",
        "stolen": f"{found['steal_percent']} % of the processor time",
        "books": "right" if not result.problems else "WRONG",
    }
    if result.reads is not None:
        facts["reads"] = _latency(result.reads.figures())
    print_facts(facts)
    _print_processes(result.course.processes())
    for problem in result.problems:
        console().print(f"  {problem}", style="red", markup=False)


def _latency(found: Json) -> str:
    shown = {"p50": "p50_ms", "p95": "p95_ms", "p99": "p99_ms", "most": "max_ms"}
    return ", ".join(f"{word} {found[name]}" for word, name in shown.items()) + " ms"


def _print_processes(processes: Mapping[str, Mapping[str, float]]) -> None:
    rows = [
        (
            name,
            f"{each['cpu_ms_per_order']:.2f} ms",
            f"{each['cpu_percent']} %",
            each["memory_mib_last"],
            each["memory_mib_last"] - each["memory_mib_first"],
        )
        for name, each in processes.items()
    ]
    if rows:
        print_table(console(), TITLES, rows)
