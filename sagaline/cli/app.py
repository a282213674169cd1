"""The commands, put together; and how they end: one line on stderr and an exit code."""

import sys

import typer

from sagaline.chassis.errors import PlatformError
from sagaline.cli import accounts, demo, down, load, orders, sagas, status, stock, up

HELP = """
Run the order platform on this machine, and talk to it.

Exit codes: 0 done; 1 it failed, and a line on stderr says why and what to do; 2 wrong usage;
3 and 4 where a command's own help names them; 130 interrupted.
"""

app = typer.Typer(
    name="sagactl",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(up.up)
app.command()(down.down)
app.command()(status.status)
app.command()(demo.demo)
app.command()(load.load)
app.add_typer(orders.app, name="order")
app.add_typer(sagas.app, name="saga")
app.add_typer(stock.app, name="stock")
app.add_typer(accounts.app, name="account")


def main() -> None:
    """Run the command line of this process, and end the process."""
    try:
        app(prog_name="sagactl")  # however it was started
    except PlatformError as error:
        sys.stderr.write(f"sagactl: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
