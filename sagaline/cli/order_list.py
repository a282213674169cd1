"""`sagactl order list`: orders, the newest first."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

import typer

from sagaline.cli import place
from sagaline.cli.output import console, print_json, print_table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.client import GATEWAY
from sagaline.local.views import OrderPage

LIMIT_MAX = 200


class Status(StrEnum):
    """How an order can stand."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"


def list_orders(
    status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many at most.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="What the page before has as next.")] = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show orders, the newest first. Exit 0: shown, though there may be none.

    Examples:

      ./sagactl order list --status REJECTED

      ./sagactl order list --customer alice --limit 100 --json
    """
    wanted = {"status": status, "customer_id": customer, "cursor": cursor, "limit": limit}
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    document = place.ask(state, lambda client: client.get(GATEWAY, f"/orders?{query}"))
    if json:
        print_json(document)
    else:
        _print(OrderPage.model_validate(document))


def _print(page: OrderPage) -> None:
    rows = [
        (order.order_id, order.status, order.customer_id, f"{order.placed_at:%Y-%m-%d %H:%M:%S}")
        for order in page.orders
    ]
    print_table(console(), ("order", "status", "customer", "placed (UTC)"), rows)
    if page.next is not None:
        console().print(f"There are more: --cursor {page.next}", style="dim", markup=False)
