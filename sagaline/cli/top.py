"""`sagactl top`: how the platform does, looked at again and again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sagaline.cli import place
from sagaline.cli.output import console, print_json, print_table, table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local import vitals
from sagaline.local.client import Client, Json
from sagaline.local.vitals import PARKED_SHOWN_MAX, UNDER_WAY, Rates, Vitals

TITLES = ("", "", "lag", "outbox", "oldest", "parked", "quar.", "CPU", "MiB")


def top(
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    every_s: Annotated[
        float, typer.Option(min=0.2, max=60, help="Time between looks; rates are over it.")
    ] = 2.0,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show orders a second, sagas, what waits in each service, and what processes take.

    Numbers of sagas and orders are those since their service's start. Lag: records that are not
    answered yet; oldest: how long a row has waited in the outbox; parked and quarantined: what
    waits for a person; CPU: per cent of one processor. Without a terminal, and with --json, it
    looks once.

    Exit 0: shown; 1: no platform runs; 130: Ctrl-C.

    Examples:

      ./sagactl top

      ./sagactl top --once

      ./sagactl top --every-s 5 --json | jq .orders.accepted_per_s
    """
    out = console()
    if once or json or not out.is_terminal:
        asyncio.run(_once(state, every_s, json=json))
    else:
        asyncio.run(_again_and_again(state, every_s))


async def _once(state: Path | None, every_s: float, *, json: bool) -> None:
    async with aclosing(_looks(state, every_s)) as looks:
        now, rates = await anext(looks)
    if json:
        print_json(document(now, rates))
        return
    out = console()
    for line in summary(now, rates):
        out.print(line)
    out.print()
    print_table(out, TITLES, rows(now, rates))


async def _again_and_again(state: Path | None, every_s: float) -> None:
    out = console()
    with Live(Text("looking ..."), console=out, screen=True, auto_refresh=False) as live:
        async with aclosing(_looks(state, every_s)) as looks:
            async for now, rates in looks:
                live.update(Group(*summary(now, rates), Text(), _table(now, rates)), refresh=True)


async def _looks(state: Path | None, every_s: float) -> AsyncGenerator[tuple[Vitals, Rates], None]:
    """Look, and look again: each time what there is, and what happened since the last time."""
    run_file = place.running(state)
    async with Client(run_file.urls, run_file.operator_urls) as client:
        before = await vitals.take(client, run_file)
        while True:
            await asyncio.sleep(every_s)
            run_file = place.running(state)  # whatever was started again has another pid
            now = await vitals.take(client, run_file)
            yield now, vitals.between(before, now)
            before = now


def document(now: Vitals, rates: Rates) -> Json:
    """Give all of it for programs."""
    return {
        "orders": {
            "accepted": int(now.accepted),
            "accepted_per_s": round(rates.accepted, 1),
            "ended_per_s": round(rates.ended, 1),
        },
        "sagas": now.sagas,
        "services": {name: asdict(each) for name, each in now.services.items()},
        "processes": {
            name: {
                "cpu_percent": round(rates.cpu_percent.get(name, 0.0), 1),
                "memory_mib": usage.memory_mib,
            }
            for name, usage in now.usage.items()
        },
    }


def summary(now: Vitals, rates: Rates) -> list[Text]:
    """Give the lines above the table."""
    ends = [f"{count} {state}" for state, count in now.sagas.items() if state != UNDER_WAY]
    return [
        Text(f"orders  {rates.accepted:.1f}/s accepted, {rates.ended:.1f}/s ended"),
        Text(f"sagas   {now.sagas[UNDER_WAY]} under way, {', '.join(ends)}"),
    ]


def rows(now: Vitals, rates: Rates) -> list[tuple[object, ...]]:
    """Give the table: services, and then the servers."""
    found: list[tuple[object, ...]] = []
    for name, each in now.services.items():
        parked = f"{each.parked}+" if each.parked == PARKED_SHOWN_MAX else each.parked
        found.append(
            (
                name,
                "ready" if each.missing is None else "NOT READY",
                each.lag_records,
                each.outbox_rows,
                f"{each.outbox_oldest_s:.1f} s",
                parked,
                each.quarantined,
                *_usage(name, now, rates),
            )
        )
    servers = [name for name in now.usage if name not in now.services]
    return found + [(name, *[""] * 6, *_usage(name, now, rates)) for name in servers]


def _table(now: Vitals, rates: Rates) -> Table:
    return table(TITLES, rows(now, rates))


def _usage(name: str, now: Vitals, rates: Rates) -> tuple[str, str]:
    usage = now.usage.get(name)
    if usage is None:  # it shares a process, or has none now
        return "", ""
    return f"{rates.cpu_percent.get(name, 0.0):.0f} %", str(usage.memory_mib)
