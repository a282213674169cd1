"""`sagactl outbox`: messages that a service can't send; seen, sent after all, dropped."""

from typing import Annotated

import typer

from sagaline.cli import place
from sagaline.cli.operating import ServiceOption, WhoOption, chosen_services
from sagaline.cli.output import console, print_facts, print_json, print_table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local import operators

app = typer.Typer(
    help="See what services can't send, and send it after all or drop it.", no_args_is_help=True
)

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As 'outbox list' shows it.")]
OneService = Annotated[str, typer.Option(help="Whose outbox it is in.")]


@app.command("list")
def list_(
    service: ServiceOption = None,
    key: Annotated[str | None, typer.Option(help="Messages of this key: an order's id.")] = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Those that Kafka is to take yet, instead.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Of each service.")] = 50,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """List messages that can't be sent, and those of their keys. Exit 0: listed, also if none.

    Example:

      ./sagactl outbox list --service inventory_service
    """
    wanted = {"state": "waiting" if waiting else "quarantined", "key": key}
    found = place.ask(
        state,
        lambda client: operators.listed_everywhere(
            client, chosen_services(service), "/outbox", name="rows", limit=limit, wanted=wanted
        ),
    )
    if json:
        print_json({"rows": found})
        return
    rows = [(row["service"], row["id"], row["key"], row["error"] or "") for row in found]
    print_table(console(), ("service", "id", "key", "error"), rows)


@app.command()
def redrive(
    identifier: Id,
    service: OneService,
    reason: Annotated[str | None, typer.Option(help="Kept with what was done.")] = None,
    who: WhoOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Send a message after all, and with it all of its key that wait for it, in order.

    One that Kafka refuses again is soon back in the list.

    Exit 0: they are sent next; 1: it is not there, or not in quarantine.

    Example:

    \b
      ./sagactl outbox redrive --service inventory_service 12 \\
        --reason 'the topic is there'
    """
    body = {"reason": reason, "who": who}
    (name,) = chosen_services(service)
    path = f"/outbox/{identifier}/redrive"
    found = place.ask(state, lambda client: client.post(name, path, body, operator=True))
    if json:
        print_json(found)
    else:
        print_facts({"sent next": ", ".join(map(str, operators.ids_of(found)))})


@app.command()
def discard(
    identifier: Id,
    service: OneService,
    reason: Annotated[str, typer.Option(help="Kept, and told to the saga.")],
    who: WhoOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Never send a message. A saga that waits for this answer is told so.

    Exit 0: it is gone; 1: it is not there, not in quarantine, or tells of what has happened.

    Example:

    \b
      ./sagactl outbox discard --service order_service 12 \\
        --reason 'nobody reads it'
    """
    body = {"reason": reason, "who": who}
    (name,) = chosen_services(service)
    path = f"/outbox/{identifier}/discard"
    found = place.ask(state, lambda client: client.post(name, path, body, operator=True))
    if json:
        print_json(found)
    else:
        print_facts({"dropped": found["id"], "of its key left": found["left"] or None})
