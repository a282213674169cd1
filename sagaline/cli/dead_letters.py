"""`sagactl dlq`: records that a service has parked; seen, handled again, given up."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.operating import ServiceOption, WhoOption, chosen_services
from sagaline.cli.output import console, print_facts, print_json, print_table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local import operators
from sagaline.local.client import Client
from sagaline.local.operators import Row

app = typer.Typer(
    help="See what services have parked, and handle it again or give it up.", no_args_is_help=True
)

Id = Annotated[int | None, typer.Argument(min=1, help="As 'dlq list' shows it.")]
Topic = Annotated[str | None, typer.Option(help="Records of this topic.")]
Key = Annotated[str | None, typer.Option(help="Records of this key: an order's id.")]
ErrorClass = Annotated[str | None, typer.Option(help="Keys with a record that failed so.")]


@app.command("list")
def list_(
    service: ServiceOption = None,
    error_class: ErrorClass = None,
    topic: Topic = None,
    key: Key = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Of each service.")] = 50,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """List parked records in the order of parking. Exit 0: listed, also when there are none.

    One of class Behind waits only for what stands before it under its key.

    Examples:

      ./sagactl dlq list

      ./sagactl dlq list --service payment_service --error-class ValueError
    """
    wanted = {"error_class": error_class, "topic": topic, "key": key}
    found = place.ask(
        state,
        lambda client: operators.listed_everywhere(
            client,
            chosen_services(service),
            "/dlq",
            name="dead_letters",
            limit=limit,
            wanted=wanted,
        ),
    )
    if json:
        print_json({"dead_letters": found})
        return
    rows = [(row["service"], row["id"], row["error_class"], row["key"]) for row in found]
    print_table(console(), ("service", "id", "error", "key"), rows)


@app.command()
def show(
    service: Annotated[str, typer.Option(help="Who has parked it.")],
    identifier: Annotated[int, typer.Argument(metavar="ID", min=1, help="As in 'dlq list'.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show a parked record: why, what it says, what waits for it. Exit 0: shown; 1: not there.

    Example:

      ./sagactl dlq show --service payment_service 7
    """
    (name,) = chosen_services(service)
    found = place.ask(state, lambda client: client.get(name, f"/dlq/{identifier}", operator=True))
    if json:
        print_json(found)
    else:
        _print(found)


@app.command()
def redrive(
    identifier: Annotated[int | None, typer.Argument(metavar="[ID]", min=1)] = None,
    service: ServiceOption = None,
    error_class: ErrorClass = None,
    topic: Topic = None,
    key: Key = None,
    reason: Annotated[str | None, typer.Option(help="Kept with what was done.")] = None,
    who: WhoOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Handle parked records again, with all that stands behind them, in order.

    Name an ID and its --service, or which keys by the other options.

    Exit 0: all of them are handled; 1: there is none of that ID; 3: some failed again, and stay.

    Examples:

      ./sagactl dlq redrive --service payment_service 7

    \b
      ./sagactl dlq redrive --error-class ValueError \\
        --reason 'release 1.2.1 copes'
    """
    body = {
        "id": identifier,
        "error_class": error_class,
        "topic": topic,
        "key": key,
        "reason": reason,
        "who": who,
    }
    _deal("redrive", body, service, state, json=json)


@app.command()
def discard(
    reason: Annotated[str, typer.Option(help="Kept, and told to the saga.")],
    identifier: Annotated[int | None, typer.Argument(metavar="[ID]", min=1)] = None,
    service: ServiceOption = None,
    error_class: ErrorClass = None,
    topic: Topic = None,
    key: Key = None,
    who: WhoOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Give parked records up: a command counts as refused, and its saga goes on with that.

    Name an ID and its --service: that record alone. Or keys by the other options: all of theirs.

    Exit 0: given up; 1: there is none of that ID; 3: some are left.

    Example:

      ./sagactl dlq discard --service payment_service 7 --reason 'sent by a test'
    """
    body = {
        "id": identifier,
        "error_class": error_class,
        "topic": topic,
        "key": key,
        "reason": reason,
        "who": who,
    }
    _deal("discard", body, service, state, json=json)


def _deal(
    verb: str, body: Mapping[str, object], service: str | None, state: Path | None, *, json: bool
) -> None:
    named = [name for name in ("error_class", "topic", "key") if body[name] is not None]
    if body["id"] is not None and (service is None or named):
        raise typer.BadParameter("an ID goes with --service, and with nothing else")
    if body["id"] is None and not named:
        raise typer.BadParameter("name an ID, or a --key, a --topic or an --error-class")

    async def dealt(client: Client) -> list[Row]:
        return [
            row
            for name in chosen_services(service)
            for row in await operators.dealt(client, name, f"/dlq/{verb}", body)
        ]

    fared = place.ask(state, dealt)
    if json:
        print_json({"keys": fared})
    else:
        _print_fared(fared, verb)
    stays = any(row["error"] is not None for row in fared)
    if verb == "discard" and body["id"] is None:
        stays = any(row["left"] for row in fared)
    raise typer.Exit(Exit.OTHERWISE if stays else Exit.DONE)


def _print_fared(fared: Sequence[Row], verb: str) -> None:
    rows = [
        (
            row["key"],
            row["done"],
            row["left"],
            f"{row['stopped_at']}: {row['error_class']}" if row["error_class"] else "",
        )
        for row in fared
    ]
    done = "handled" if verb == "redrive" else "given up"
    print_table(console(), ("key", done, "left", "failed again"), rows)


def _print(found: Mapping[str, Any]) -> None:
    payload = found["payload"]
    print_facts(
        {
            "record": f"{found['topic']}/{found['partition']}/{found['offset']}",
            "key": found["key"],
            "type": found["type"],
            "error": f"{found['error_class']}: {found['error']}",
            "parked at": found["parked_at"],
            "redriven": f"{found['redrives']} times" if found["redrives"] else None,
            "saga step": " ".join(
                found["headers"].get(f"ce_saga{part}", "") for part in ("step", "direction")
            ).strip(),
            "behind it": found["behind_count"] or None,
        }
    )
    print_facts(
        payload["fields"] or {"bytes": payload["hex"] or "", "unreadable": payload["reason"]}
    )
