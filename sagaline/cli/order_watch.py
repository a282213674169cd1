"""`sagactl order watch`: an order's progress as it happens, until its saga has ended."""

import asyncio
from json import dumps
from typing import Annotated
from uuid import UUID

import typer

from sagaline.cli import place
from sagaline.cli.output import console, styled
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.client import Client, NotEnded
from sagaline.local.views import OrderStatus, Progress, Step

REJECTED = 3
AT_REST = frozenset({"PLANNED", "SUCCEEDED", "UNDONE", "UNDO_NOOP", "WAIVED"})


def watch(
    order_id: Annotated[UUID, typer.Argument(help="What 'order create' printed.")],
    within_s: Annotated[float, typer.Option(help="How long to watch.")] = 60.0,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Watch an order: a line each time something has changed; with --json a document a line.

    Exit 0: its saga has ended, and the order is not REJECTED; 3: it is; 1: not known, or it did
    not end in time.

    Example:

      ./sagactl order watch 0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f
    """

    async def watched(client: Client) -> OrderStatus:
        status: OrderStatus = "PENDING"
        try:
            async with asyncio.timeout(within_s):
                async for document in client.progress(order_id):
                    progress = Progress.model_validate(document)
                    status = progress.order.status
                    if json:
                        print(dumps(document), flush=True)
                    else:
                        _print(progress)
        except TimeoutError as late:
            raise NotEnded(order_id=order_id, status=status, within_s=within_s) from late
        return status

    raise typer.Exit(REJECTED if place.ask(state, watched) == "REJECTED" else 0)


def _print(progress: Progress) -> None:
    order, saga = progress.order, progress.saga
    moment = saga.updated_at or order.placed_at
    now = ", ".join(f"{step.name} {_status(step)}" for step in saga.steps if _moves(step))
    line = styled(f"{order.status:<10}")
    console().print(f"{moment:%H:%M:%S.%f}"[:-3], line, f"{saga.state:<13}", now or "-")


def _moves(step: Step) -> bool:
    return step.status not in AT_REST or step.stalled or step.parked


def _status(step: Step) -> str:
    flags = [word for word, on in (("stalled", step.stalled), ("parked", step.parked)) if on]
    because = [f"({step.code})"] if step.code else []
    return " ".join([step.status, *flags, *because])
