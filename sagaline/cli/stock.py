"""`sagactl stock`: what lies on inventory's shelves."""

from collections.abc import Mapping
from typing import Annotated

import typer

from sagaline.cli import place
from sagaline.cli.output import print_facts, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.client import INVENTORY
from sagaline.local.views import Shelf

app = typer.Typer(help="What lies on inventory's shelves, and its price.", no_args_is_help=True)

Sku = Annotated[str, typer.Argument(help="What is sold, for example LAMP-1.")]


@app.command("set")
def set_stock(
    sku: Sku,
    on_hand: Annotated[int, typer.Option(min=0, help="Units that lie there.")],
    price_minor: Annotated[int, typer.Option(min=0, help="Price of a unit: 4900 is 49.00.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, for example EUR.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Put units of a SKU on its shelf, at a price. Exit 0: they are there.

    Example:

      ./sagactl stock set LAMP-1 --on-hand 10 --price-minor 4900 --currency EUR
    """
    body = {"on_hand": on_hand, "price_minor": price_minor, "currency": currency}
    _print(place.ask(state, lambda client: client.put(INVENTORY, f"/stock/{sku}", body)), json=json)


@app.command("get")
def get_stock(sku: Sku, state: StateOption = None, json: JsonOption = False) -> None:
    """Show a shelf. Exit 0: it is shown; 1: there is none.

    Example:

      ./sagactl stock get LAMP-1
    """
    _print(place.ask(state, lambda client: client.get(INVENTORY, f"/stock/{sku}")), json=json)


def _print(document: Mapping[str, object], *, json: bool) -> None:
    if json:
        print_json(document)
        return
    shelf = Shelf.model_validate(document)
    print_facts(
        {
            "SKU": shelf.sku,
            "on hand": shelf.on_hand,
            "reserved": shelf.reserved,
            "price": f"{shelf.price_minor} {shelf.currency} (minor units)",
        }
    )
