"""`sagactl topic tail`: the records of a topic, decoded."""

import sys
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text

from sagaline.chassis import log_reader
from sagaline.cli import place
from sagaline.cli.output import console
from sagaline.cli.place import JsonOption, StateOption
from sagaline.cli.topic_options import (
    From,
    Keys,
    Topic,
    Types,
    Until,
    bound,
    full_names,
    kafka,
    reading,
)
from sagaline.local.topics import rendering
from sagaline.local.topics.broker import CLIENT
from sagaline.local.topics.catalog import catalog
from sagaline.local.topics.decoding import Decoded, Decoder
from sagaline.local.topics.selection import Selection

NEWEST = 10
NAME_WIDTH = 11


def tail(
    topic: Topic,
    first: From = None,
    until: Until = None,
    key: Keys = None,
    message: Types = None,
    saga: Annotated[UUID | None, typer.Option(help="Records of this saga alone.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many.  [default: the newest 10, or all of a range]"),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    redact: Annotated[
        bool, typer.Option("--redact", help="Blank the fields that hold personal data.")
    ] = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show a topic's records, decoded, in the order of their Kafka time.

    Without --from it is the newest ones, with --follow those to come. Reading ends with what stood
    there at the start. It has no consumer group and commits nothing. A record that can't be
    decoded is shown as hex, with the reason. On a terminal a record is a block, in a pipe it is a
    line, with --json a document.

    Exit 0: shown; 1: no such topic, or Kafka is away; 130: Ctrl-C.

    Examples:

      ./sagactl topic tail inventory.commands.v1

      ./sagactl topic tail orders.replies.v1 --from 10m --type OrderCreated

      ./sagactl topic tail sagas.events.v1 --follow --json | jq .payload.state

      ./sagactl topic tail payments.commands.v1 --from 3:120 --until 3:130
    """
    if follow and until is not None:
        raise typer.BadParameter("--follow has no end", param_hint="--until")
    config = place.config()
    known = catalog(config)
    bootstrap = kafka(state)
    selection = Selection(
        first=bound(first, "--from"),
        until=bound(until, "--until"),
        keys=frozenset(key or ()),
        types=full_names(message, topic, known),
        saga=None if saga is None else str(saga),
        limit=limit or (None if first or until or follow else NEWEST),
        follow=follow,
    )
    decoder, show = Decoder(known, redact=redact), _shower(json=json)

    async def shown() -> None:
        async with log_reader.opened(topic, bootstrap=bootstrap, client_id=CLIENT) as reader:
            async for record in selection.records(reader):
                show(decoder.decode(record))

    reading(topic, bootstrap, known, shown)


def _shower(*, json: bool) -> Callable[[Decoded], None]:
    """How a record is shown, on this stdout."""
    out = console()
    if json:
        return lambda decoded: _write(rendering.compact(rendering.document(decoded)))
    if not out.is_terminal:
        return lambda decoded: _write(rendering.line(decoded))
    return lambda decoded: _print(out, decoded)


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()  # whoever follows in a pipe wants it now


def _print(out: Console, decoded: Decoded) -> None:
    for name, text in rendering.block(decoded):
        if not name:
            out.print(Text(text, style="bold"))
        elif name == "payload":
            out.print(Text(text, style="red" if decoded.problem else ""))
        else:
            out.print(Text(f"  {name.ljust(NAME_WIDTH)}", style="dim") + Text(text))
    out.print()
