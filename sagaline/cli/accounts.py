"""`sagactl account`: what payment grants to customers."""

from collections.abc import Mapping
from typing import Annotated

import typer

from sagaline.cli import place
from sagaline.cli.output import print_facts, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.client import PAYMENT
from sagaline.local.views import Account

app = typer.Typer(help="What payment grants to a customer, and what is used.", no_args_is_help=True)

Customer = Annotated[str, typer.Argument(help="The customer's id, for example alice.")]


@app.command("set")
def set_account(
    customer: Customer,
    limit_minor: Annotated[int, typer.Option(min=0, help="Credit: 100000 is 1000.00.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, for example EUR.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Give a customer a credit limit. Exit 0: it holds from now on.

    Example:

      ./sagactl account set alice --limit-minor 100000 --currency EUR
    """
    body = {"limit_minor": limit_minor, "currency": currency}
    path = f"/accounts/{customer}"
    _print(place.ask(state, lambda client: client.put(PAYMENT, path, body)), json=json)


@app.command("get")
def get_account(customer: Customer, state: StateOption = None, json: JsonOption = False) -> None:
    """Show a customer's account. Exit 0: it is shown; 1: there is none.

    Example:

      ./sagactl account get alice
    """
    path = f"/accounts/{customer}"
    _print(place.ask(state, lambda client: client.get(PAYMENT, path)), json=json)


def _print(document: Mapping[str, object], *, json: bool) -> None:
    if json:
        print_json(document)
        return
    account = Account.model_validate(document)
    print_facts(
        {
            "customer": account.customer_id,
            "limit": f"{account.limit_minor} {account.currency} (minor units)",
            "authorized": account.authorized_minor,
            "captured": account.captured_minor,
        }
    )
