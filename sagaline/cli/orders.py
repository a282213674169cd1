"""`sagactl order`: placing orders, and seeing how they end."""

import time
from json import dumps
from math import ceil
from typing import Annotated
from uuid import UUID

import httpx
import typer

from sagaline.cli import order_list, order_watch, place
from sagaline.cli.output import print_facts, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.answers import Refused, problem_text
from sagaline.local.client import GATEWAY, WAIT_MAX_S, Client, Json
from sagaline.local.views import Order

REJECTED = 3

app = typer.Typer(help="Place orders, and see how they end.", no_args_is_help=True)
app.command("list")(order_list.list_orders)
app.command("watch")(order_watch.watch)


@app.command()
def create(
    customer: Annotated[str, typer.Option(help="The customer's id, for example alice.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, for example EUR.")],
    line: Annotated[list[str], typer.Option(metavar="SKU=QUANTITY", help="Again for more lines.")],
    key: Annotated[
        str | None, typer.Option(help="Idempotency key: with it, a repetition is no new order.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until it is CONFIRMED or REJECTED.")
    ] = False,
    within_s: Annotated[float, typer.Option(help="How long to wait.")] = 30.0,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Place an order; with --wait, see how it ends.

    Exit 0: accepted, with --wait CONFIRMED; 1: refused, or it did not end in time; 3: REJECTED.

    Examples:

    \b
      ./sagactl order create --customer alice --currency EUR --line LAMP-1=2 \\
        --wait

    \b
      ./sagactl order create --customer bob --currency EUR --line LAMP-1=1 \\
        --line MUG-1=6 --key basket-17 --json
    """
    body = {
        "customer_id": customer,
        "currency": currency,
        "lines": [_line(text) for text in line],
    }

    async def placed(client: Client) -> Json:
        began_s = time.monotonic()
        wait_s = min(max(ceil(within_s), 1), WAIT_MAX_S) if wait else 0
        answer = await client.post_order(dumps(body).encode(), key=key, wait_s=wait_s)
        if not answer.is_success:
            text = problem_text(answer)
            raise Refused(service="the gateway", status=answer.status_code, text=text)
        document: Json = answer.json()
        if not wait or answer.status_code == httpx.codes.OK:
            return document
        order_id = UUID(str(document["order_id"]))
        left_s = max(began_s + within_s - time.monotonic(), 0.0)
        await client.ended(order_id, within_s=left_s)
        return await client.get(GATEWAY, f"/orders/{order_id}")

    document = place.ask(state, placed)
    if json:
        print_json(document)
    elif wait:
        _print(Order.model_validate(document))
    else:
        print_facts({"order": document["order_id"], "status": document["status"]})
    raise typer.Exit(REJECTED if document["status"] == "REJECTED" else 0)


@app.command()
def get(
    order_id: Annotated[UUID, typer.Argument(help="What 'order create' printed.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show an order: how it stands and, if it was rejected, why. Exit 0: shown; 1: not known.

    Example:

      ./sagactl order get 0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f
    """
    document = place.ask(state, lambda client: client.get(GATEWAY, f"/orders/{order_id}"))
    if json:
        print_json(document)
    else:
        _print(Order.model_validate(document))


def _line(text: str) -> Json:
    sku, equals, quantity = text.rpartition("=")
    if not equals or not sku or not quantity.lstrip("-").isdigit():
        raise typer.BadParameter(f"{text!r} is not like LAMP-1=2", param_hint="--line")
    return {"sku": sku, "quantity": int(quantity)}


def _print(order: Order) -> None:
    reason = order.reason
    print_facts(
        {
            "order": order.order_id,
            "status": order.status,
            "because": reason and f"{reason.code} at {reason.step}: {reason.detail}",
            "customer": order.customer_id,
            "lines": ", ".join(f"{line.sku} x {line.quantity}" for line in order.lines),
            "currency": order.currency,
            "placed at": order.placed_at.isoformat(),
            "ended at": order.ended_at and order.ended_at.isoformat(),
            "saga": order.saga and f"{order.saga.state} {order.saga.saga_id}",
        }
    )
