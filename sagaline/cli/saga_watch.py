"""`sagactl saga watch`: a saga's steps as they change, until its end."""

import asyncio
import json as json_text
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.text import Text

from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, styled
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.answers import NotFound
from sagaline.local.client import GATEWAY, ORCHESTRATOR, Client, Json
from sagaline.local.views import Saga, Step

POLL_S = 0.1
NAME_WIDTH = 20


def watch(
    identifier: Annotated[UUID, typer.Argument(metavar="ID", help="An order's id, or a saga's.")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show a saga's steps as they change, until it ends. It looks ten times a second.

    With --json each line is the whole saga, as 'saga get' shows it.

    Exit 0: COMPLETED; 1: not known; 3: it ended otherwise; 130: Ctrl-C.

    Examples:

      ./sagactl saga watch 0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f

      ./sagactl saga watch 0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f --json | jq .state
    """

    async def watched(client: Client) -> str:
        seen: Saga | None = None
        async for document in changes(client, identifier):
            saga = Saga.model_validate(document)
            if json:
                sys.stdout.write(json_text.dumps(document, default=str) + "\n")
                sys.stdout.flush()  # whoever follows in a pipe wants it now
            else:
                for line in lines(seen, saga):
                    console().print(line)
            seen = saga
        assert seen is not None
        return seen.state

    ended = place.ask(state, watched)
    raise typer.Exit(Exit.DONE if ended == "COMPLETED" else Exit.OTHERWISE)


async def found(client: Client, identifier: UUID) -> Json:
    """Give a saga by its order's id, or its own. Raises NotFound."""
    try:
        return await client.get(GATEWAY, f"/orders/{identifier}/saga")
    except NotFound:
        return await client.get(ORCHESTRATOR, f"/sagas/{identifier}", operator=True)


async def changes(client: Client, identifier: UUID) -> AsyncIterator[Json]:
    """Give the saga as it stands, then after each change, the last time at its end."""
    sequence: object = None
    while True:
        document = await found(client, identifier)
        if document["sequence"] != sequence:
            sequence = document["sequence"]
            yield document
        if Saga.model_validate(document).has_ended:
            return
        await asyncio.sleep(POLL_S)


def lines(before: Saga | None, now: Saga) -> list[Text]:
    """Give a line for each step that stands otherwise than before, and one for a new state."""
    was: Mapping[str, Step] = {step.name: step for step in before.steps} if before else {}
    changed = [
        step
        for step in now.steps
        if step.status != "PLANNED" and (step.name not in was or _differ(was[step.name], step))
    ]
    shown = [_line(step.ended_at or now.updated_at, step.name, _words(step)) for step in changed]
    if before is None or before.state != now.state:
        shown.append(_line(now.updated_at, "saga", now.state))
    return shown


def _differ(was: Step, now: Step) -> bool:
    return (was.status, was.attempts, was.stalled, was.parked) != (
        now.status,
        now.attempts,
        now.stalled,
        now.parked,
    )


def _words(step: Step) -> str:
    words = [step.status]
    words += [f"try {step.attempts}"] if step.attempts > 1 else []
    words += [flag for flag, on in (("stalled", step.stalled), ("parked", step.parked)) if on]
    words += [f"{step.code}: {step.detail}"] if step.code else []
    return ", ".join(words)


def _line(at: datetime | None, name: str, words: str) -> Text:
    clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}" if at else " " * 12
    return Text(f"{clock}  ", style="dim") + Text(f"{name:<{NAME_WIDTH}}") + styled(words)
