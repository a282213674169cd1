"""`sagactl load`: orders a second, latency and cost; and are the books right after."""

import random
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, print_facts, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.load import result
from sagaline.local.load.plan import Plan
from sagaline.local.load.run import run

IN_FLIGHT, SECONDS = 64, 30.0


def load(
    in_flight: Annotated[
        int | None, typer.Option(min=1, help="Closed loop: orders under way at once. [64]")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Open loop: orders a second, on a schedule.")
    ] = None,
    orders: Annotated[
        int | None, typer.Option(min=1, help="Closed loop: end when so many are counted.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, max=86_400, help="How long is counted. [30]")
    ] = None,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds before, not counted.")] = 5.0,
    declined: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of orders without credit.")
    ] = 0.0,
    reads: Annotated[
        float, typer.Option(min=0, help="Looks at orders a second beside, on a schedule.")
    ] = 0.0,
    open_max: Annotated[
        int, typer.Option(min=1, help="With so many open, what is due is not sent, but counted.")
    ] = 2_000,
    seed: Annotated[int | None, typer.Option(help="Makes the same orders again.")] = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Load the platform with orders, measure it, and check the books afterwards.

    Closed loop: as many orders as are to be in flight, each followed by the next. Open loop: so
    many a second, whatever becomes of them; latency is from when an order was due to be sent.
    An order is complete when the gateway shows it CONFIRMED or REJECTED.

    Exit 0: all ended as expected and the books are right; 1: not so; a rate that the platform
    doesn't keep up is told, and no error.

    Examples:

      ./sagactl load --orders 2000 --in-flight 64

      ./sagactl load --rate 50 --seconds 60 --reads 100 --declined 10

      ./sagactl load --orders 500 --in-flight 1 --json
    """
    if rate is not None and (in_flight is not None or orders is not None):
        raise typer.BadParameter("--rate goes with --seconds, not with --in-flight or --orders")
    if orders is not None and seconds is not None:
        raise typer.BadParameter("the end is given by --orders or by --seconds, not by both")
    plan = Plan(
        in_flight=(in_flight or IN_FLIGHT) if rate is None else None,
        rate=rate,
        orders=orders,
        seconds=(seconds or SECONDS) if orders is None else None,
        warm_up_s=warm_up,
        declined_percent=declined,
        reads=reads,
        open_max=open_max,
    )
    chosen = random.SystemRandom().getrandbits(32) if seed is None else seed
    outcome = run(plan, place.running(state), seed=chosen)
    document = result.document(outcome, name="load")
    if json:
        print_json(document)
    else:
        _print(result.figures(outcome), outcome.problems, mode=plan.mode, seed=chosen)
    raise typer.Exit(Exit.FAILED if outcome.problems else Exit.DONE)


def _print(found: Mapping[str, Any], problems: object, *, mode: str, seed: int) -> None:
    kept = "" if found.get("rate_kept", True) else f"; NOT KEPT UP, {found['not_sent']} not sent"
    steal = " - too much to trust" if found["steal_is_high"] else ""
    print_facts(
        {
            "orders": f"{found['orders']} in {found['seconds']} s, {mode} loop, seed {seed}",
            "completed": f"{found['orders_per_s']} orders/s{kept}",
            "latency": _latency(found["latency"]),
            "whole sagas": _latency(found["sagas"]),
            "reads": f"{found['reads']['per_s']}/s, {_latency(found['reads'])}"
            if "reads" in found
            else None,
            "machine CPU": f"{found['cpu_ms_per_order']} ms an order, and "
            f"{found['cpu_ms_per_order_of_load']} of this command",
            "stolen": f"{found['steal_percent']} %{steal}",
            "books": "WRONG" if problems else "right",
        }
    )
    for problem in problems if isinstance(problems, list) else ():
        console().print(f"  {problem}", style="red", markup=False)


def _latency(found: Mapping[str, Any]) -> str:
    if "p50_ms" not in found:
        return "none"
    percentiles = ("p50", "p90", "p95", "p99", "p99.9", "max")
    return ", ".join(f"{name} {found[f'{name}_ms']:.0f}" for name in percentiles) + " ms"
