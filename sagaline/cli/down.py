"""`sagactl down`: ends a platform from outside."""

import sys
from typing import Annotated

import typer

from sagaline.cli import place
from sagaline.cli.output import console, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local import leftovers, purge
from sagaline.local.state_directory import StateDirectory

STOP_TIMEOUT_S = 15.0


def down(
    purged: Annotated[
        bool, typer.Option("--purge", help="Remove its data and logs, too: all orders are gone.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Stop the platform that './sagactl up' started, and whatever a killed one left behind.

    With --purge nothing of it stays: its state directory is removed, and PostgreSQL's data where
    that is elsewhere. It is refused while anything else is in there, or uses it.

    Exit 0: nothing runs any more, or nothing did; 1: it was not removed; 2: nobody said --yes.

    Examples:

      ./sagactl down

      ./sagactl down --purge --yes
    """
    directory = place.state(state)
    if purged and not yes:
        _ask(directory)
    if purged:
        purge.kept(directory)  # refused before anything is stopped
    owner = leftovers.take_down(directory, timeout_s=STOP_TIMEOUT_S)
    removed = purge.purge(directory) if purged else []
    if json:
        print_json({"stopped": owner, "removed": [str(path) for path in removed]})
        return
    said = "nothing ran" if owner is None else f"stopped, it was process {owner}"
    console().print(said)
    for path in removed:
        console().print(f"removed {path}", markup=False)


def _ask(directory: StateDirectory) -> None:
    """A person has agreed, if there is anything to remove. Where nobody can be asked: a usage."""
    folders = ", ".join(str(path) for path in purge.kept(directory))
    if not folders:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter(f"removes {folders}: say --yes", param_hint="--purge")
    typer.confirm(f"Remove {folders}, with all data?", abort=True)
