"""The demo from the first process to the last line."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

import typer
from rich.console import Console

from sagaline.cli import interrupts, place
from sagaline.cli.demo import checking
from sagaline.cli.demo.cases import BAD_REQUESTS, CASES, CREDITS, KEY_REUSED, STOCKS, Case
from sagaline.cli.demo.checking import Finding
from sagaline.cli.demo.watching import Watch
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, print_json
from sagaline.cli.place import JsonOption
from sagaline.cli.progress import Progress
from sagaline.local import prerequisites
from sagaline.local.client import GATEWAY, Client
from sagaline.local.platform_config import PlatformConfig
from sagaline.local.throw_away_platform import throw_away_platform


def demo(json: JsonOption = False) -> None:
    """Start a throw-away platform, place orders of every outcome, check everything, stop.

    It uses free ports and a folder of its own, so it runs beside './sagactl up'. With --json, what
    happens is told on stderr.

    Exit 0: all orders ended as expected and all effects are right; 1: something is wrong.

    Examples:

      ./sagactl demo

      ./sagactl demo --json | jq '.findings[] | select(.ok | not)'
    """
    config = place.config()
    config.service(GATEWAY)  # it knows orders: on another platform there is nothing to show
    prerequisites.require(config.root, installing=False)
    out = Console(stderr=True, highlight=False) if json else console()
    with interrupts.raised():
        found = _on_throw_away_platform(out, config)
    wrong = [finding for finding in found if not finding.ok]
    if json:
        document = [{**asdict(finding), "ok": finding.ok} for finding in found]
        print_json({"well": not wrong, "findings": document})
    elif wrong:
        out.print(f"\n{len(wrong)} findings are WRONG.", style="red")
    else:
        _say_what_next(out, config)
    raise typer.Exit(Exit.FAILED if wrong else Exit.DONE)


def _on_throw_away_platform(out: Console, config: PlatformConfig) -> list[Finding]:
    """Bring it up, run the demo, take it down and away; give what was found."""
    progress, begin_s = Progress(out), time.monotonic()

    def ending() -> None:
        interrupts.ignore()  # a second Ctrl-C must not leave half of it running
        progress.close()

    with throw_away_platform(
        config, rng=random.SystemRandom(), tell=progress, ending=ending
    ) as platform:
        out.print(f"ready after {time.monotonic() - begin_s:.1f} s\n")
        found = asyncio.run(_run(out, platform.urls))
    out.print("\neverything is stopped and removed")
    return found


async def _run(out: Console, urls: Mapping[str, str]) -> list[Finding]:
    async with Client(urls) as client:
        await _prepare(client)
        outcomes, orders = await _place_and_watch(out, client)
        outcomes += [await checking.refused(client, bad) for bad in BAD_REQUESTS]
        checking.show(out, "orders", ("expected", "seen"), outcomes)
        agreement = await checking.agreement(client)
        effects = await checking.effects(client, orders)
        checking.show(out, "effects", ("expected", "seen"), effects)
        checking.show(out, "books", ("one side", "other side"), agreement)
    return outcomes + effects + agreement


async def _prepare(client: Client) -> None:
    """Fill the shelves and grant the credits."""
    for stock in STOCKS:
        await client.set_stock(
            stock.sku,
            on_hand=stock.before,
            price_minor=stock.price_minor,
            currency=stock.currency,
        )
    for credit in CREDITS:
        await client.set_account(credit.customer_id, limit_minor=credit.limit_minor, currency="EUR")


async def _place_and_watch(out: Console, client: Client) -> tuple[list[Finding], dict[UUID, Case]]:
    """Place an order for each case, and see all of them end; what was found, and the orders."""
    with Watch(out) as watch:
        followed = await asyncio.gather(*(_one(client, watch, case) for case in CASES))
    found: list[Finding] = []
    orders: dict[UUID, Case] = {}
    for case, (order_id, findings) in zip(CASES, followed, strict=True):
        found += findings
        orders[order_id] = case
    return found, orders


async def _one(client: Client, watch: Watch, case: Case) -> tuple[UUID, list[Finding]]:
    order_id = await client.place(case.order, key=case.key)
    found = []
    if case.key is not None:
        again = await client.place(case.order, key=case.key)
        found.append(checking.same_order(case, order_id, again))
        found.append(await checking.refused(client, KEY_REUSED, key=case.key))
    order = await watch.follow(client, case.title, order_id)
    return order_id, [checking.outcome(case, order), *found]


def _say_what_next(out: Console, config: PlatformConfig) -> None:
    url = f"http://127.0.0.1:{config.service(GATEWAY).port}"
    out.print(
        f"""
Every order ended as expected, and the books are right. What next?

  ./sagactl up                    a platform that stays, until Ctrl-C
  {url}/docs      its API, to read and to try
  ./sagactl stock set LAMP-1 --on-hand 10 --price-minor 4900 --currency EUR
  curl {url}/orders -H 'Content-Type: application/json' \\
    -d '{{"customer_id": "alice", "currency": "EUR",
         "lines": [{{"sku": "LAMP-1", "quantity": 2}}]}}'""",
        markup=False,
    )
