"""`sagactl db`: whether each service's tables are those of this release, and making them so."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sagaline.cli import place
from sagaline.cli.completion import service_names
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, print_json, print_table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.client import Json

if TYPE_CHECKING:
    from sagaline.chassis.migrate import Standing
    from sagaline.local.databases import Databases, Revisions

app = typer.Typer(help="See and upgrade the services' tables.", no_args_is_help=True)

ServiceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--service",
        metavar="NAME",
        help="This service alone; again for more.  [default: all]",
        autocompletion=service_names,
    ),
]


@app.command("status")
def show_status(
    service: ServiceOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Show each database's revisions beside the newest of this release.

    A service has two chains: the chassis' tables in schema sagaline, its own in schema public.

    Exit 0: all are up to date, or ahead; 1: some are behind, or a database can't be asked.

    Examples:

      ./sagactl db status

      ./sagactl db status --service order_service --json
    """
    found = asyncio.run(_revisions(_databases(state), _chosen(service)))
    _finish(found, json=json)


@app.command()
def upgrade(
    service: ServiceOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Bring tables up to date while the platform runs; 'up' does so by itself at its start.

    It runs 'python -m SERVICE migrate', each service's at a time. Nothing is ever downgraded.

    Exit 0: all of them are up to date; 1: one could not be brought there.

    Examples:

      ./sagactl db upgrade

      ./sagactl db upgrade --service payment_service
    """
    databases, chosen = _databases(state), _chosen(service)
    for name in chosen:
        databases.upgrade(name)
    _finish(asyncio.run(_revisions(databases, chosen)), json=json)


def _databases(state: Path | None) -> "Databases":
    # Here, since Alembic comes with it: no other command is to wait for that.
    from sagaline.local.databases import Databases

    return Databases(place.config(), place.state(state), place.running(state))


def _chosen(given: Sequence[str] | None) -> list[str]:
    known = [service.name for service in place.config().services]
    for name in given or ():
        if name not in known:
            text = f"{name} is none of {', '.join(known)}"
            raise typer.BadParameter(text, param_hint="--service")
    return [name for name in known if not given or name in given]


async def _revisions(databases: "Databases", services: Sequence[str]) -> list["Revisions"]:
    # One after the other: a handful of connections for a moment, whatever the platform's size.
    return [await databases.revisions(name) for name in services]


def _finish(found: Sequence["Revisions"], *, json: bool) -> NoReturn:
    _show(found, json=json)
    raise typer.Exit(Exit.DONE if all(each.reached for each in found) else Exit.FAILED)


def _show(found: Sequence["Revisions"], *, json: bool) -> None:
    if json:
        print_json({"services": {each.service: _document(each) for each in found}})
        return
    rows = [
        (each.service, at.schema, ", ".join(at.found) or "-", ", ".join(at.needed), _word(at))
        for each in found
        for at in each.standings
    ]
    print_table(console(), ("service", "schema", "at", "newest", ""), rows)


def _document(found: "Revisions") -> Json:
    return {
        "up_to_date": found.reached,
        "schemas": {
            at.schema: {"at": at.found, "newest": at.needed, "is": _word(at)}
            for at in found.standings
        },
    }


def _word(at: "Standing") -> str:
    if not at.reached:
        return "behind"
    return "ok" if set(at.found) == set(at.needed) else "ahead, a later release's"
