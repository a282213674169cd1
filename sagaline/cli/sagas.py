"""`sagactl saga`: how far an order's saga has come, step by step."""

from typing import Annotated
from uuid import UUID

import typer

from sagaline.cli import place, saga_watch
from sagaline.cli.output import console, print_facts, print_json, print_table
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local import operators
from sagaline.local.client import ORCHESTRATOR
from sagaline.local.operators import Row
from sagaline.local.views import Saga, Step

app = typer.Typer(help="See how far an order's saga has come.", no_args_is_help=True)


@app.command("list")
def list_(
    in_state: Annotated[
        str | None, typer.Option("--in", metavar="STATE", help="For example NEEDS_ATTENTION.")
    ] = None,
    definition: Annotated[str | None, typer.Option(help="For example place-order.")] = None,
    stalled: Annotated[
        bool, typer.Option("--stalled", help="With a step that is stalled or parked.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """List sagas, the newest first. Exit 0: listed, also when there are none.

    Examples:

      ./sagactl saga list --in NEEDS_ATTENTION

      ./sagactl saga list --stalled
    """
    wanted = {"state": in_state, "definition": definition, "stalled": "true" if stalled else None}
    found = place.ask(
        state,
        lambda client: operators.listed(
            client, ORCHESTRATOR, "/sagas", name="sagas", limit=limit, wanted=wanted
        ),
    )
    if json:
        print_json({"sagas": found})
        return
    rows = [(row["key"], row["state"], _waits_for(row)) for row in found]
    print_table(console(), ("order", "state", ""), rows)


@app.command()
def get(
    identifier: Annotated[UUID, typer.Argument(metavar="ID", help="An order's id, or a saga's.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show a saga: its state, its steps, and those still to come. Exit 0: shown; 1: not known.

    Example:

      ./sagactl saga get 0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f
    """
    document = place.ask(state, lambda client: saga_watch.found(client, identifier))
    if json:
        print_json(document)
    else:
        _print(Saga.model_validate(document))


app.command()(saga_watch.watch)


def _print(saga: Saga) -> None:
    print_facts(
        {
            "saga": saga.saga_id,
            "of": f"{saga.definition}, version {saga.version}, order {saga.order_id}",
            "state": saga.state,
        }
    )
    rows = [
        (step.name, _status(saga, step), step.attempts or "", _took(step), _remark(step))
        for step in saga.steps
    ]
    print_table(console(), ("step", "status", "tries", "took", ""), rows)


def _waits_for(row: Row) -> str:
    """What keeps the saga, or else why it turned back."""
    held = [f"{step} is parked" for step in row["parked"]]
    held += [f"{step} is stalled" for step in row["stalled"]]
    if held:
        return ", ".join(held)
    return f"{row['failed_step'] or 'saga'}: {row['code']}" if row["code"] else ""


def _status(saga: Saga, step: Step) -> str:
    """Of an ended saga, what is still planned won't happen."""
    return "not needed" if saga.has_ended and step.status == "PLANNED" else step.status


def _took(step: Step) -> str:
    if step.started_at is None or step.ended_at is None:
        return ""
    return f"{(step.ended_at - step.started_at).total_seconds() * 1000:.0f} ms"


def _remark(step: Step) -> str:
    flags = [word for word, on in (("stalled", step.stalled), ("parked", step.parked)) if on]
    return ", ".join([*flags, *([f"{step.code}: {step.detail}"] if step.code else [])])
