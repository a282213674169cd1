"""The commands, put together; and how they end: one line on stderr and an exit code."""

import sys

import typer

from sagaline.chassis.errors import PlatformError
from sagaline.cli import (
    accounts,
    config,
    db,
    dead_letters,
    demo,
    doctor,
    down,
    load,
    orders,
    outbox,
    root,
    sagas,
    status,
    stock,
    top,
    topics,
    up,
)
from sagaline.cli.exits import Exit

app = typer.Typer(
    name="sagactl",
    help=root.HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback(invoke_without_command=True)(root.root)
app.command()(up.up)
app.command()(down.down)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(demo.demo)
app.command()(load.load)
app.command()(top.top)
app.add_typer(orders.app, name="order")
app.add_typer(sagas.app, name="saga")
app.add_typer(stock.app, name="stock")
app.add_typer(accounts.app, name="account")
app.add_typer(config.app, name="config")
app.add_typer(db.app, name="db")
app.add_typer(topics.app, name="topic")
app.add_typer(dead_letters.app, name="dlq")
app.add_typer(outbox.app, name="outbox")


def main() -> None:
    """Run the command line of this process, and end the process."""
    try:
        app(prog_name="sagactl")  # however it was started
    except PlatformError as error:
        sys.stderr.write(f"sagactl: {error}\n")
        sys.exit(Exit.FAILED)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
