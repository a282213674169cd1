"""Live replays on the command line: begun and watched, listed, stopped, resumed."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from sagaline.chassis.catalog import Topic
from sagaline.chassis.log_records import Spans
from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.output import print_facts, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.cli.wide import print_wide_table
from sagaline.local.client import Client
from sagaline.local.topics import bounds, live
from sagaline.local.topics.live import LiveReplay

ReplayId = Annotated[UUID, typer.Argument(metavar="ID", help="What 'topic replays' shows.")]


def replays(state: StateOption = None, json: JsonOption = False) -> None:
    """List live replays of all topics, newest first. Exit 0: listed.

    Example:

      ./sagactl topic replays
    """
    found = place.ask(state, lambda client: live.everywhere(client, _services()))
    if json:
        print_json({"replays": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        (
            each.id,
            each.topic,
            each.state,
            f"{each.read}/{each.total}",
            each.sent,
            each.problem or each.reason,
        )
        for each in found
    ]
    print_wide_table(("id", "topic", "state", "read", "sent", ""), rows)


def stop(replay_id: ReplayId, state: StateOption = None, json: JsonOption = False) -> None:
    """Stop a live replay; what it has put into the outbox still leaves.

    Exit 0: stopped; 1: there is none, or it does not run.

    Example:

      ./sagactl topic replay-stop 5b0f6a1c-9f0e-4f0b-8a51-0d6f8f3f8a11
    """
    _, changed = place.ask(
        state, lambda client: live.change(client, _services(), replay_id, "stop")
    )
    show(changed, json=json)


def resume(replay_id: ReplayId, state: StateOption = None, json: JsonOption = False) -> None:
    """Let a stopped live replay go on from where it was, and see it end.

    Exit 0: all of it is written; 1: there is none, or it was not stopped; 3: stopped again.

    Example:

      ./sagactl topic replay-resume 5b0f6a1c-9f0e-4f0b-8a51-0d6f8f3f8a11
    """

    async def resumed(client: Client) -> LiveReplay:
        service, _ = await live.change(client, _services(), replay_id, "resume")
        return await _watched(client, service, replay_id)

    finish(place.ask(state, resumed), json=json)


def begin(
    topic: Topic,
    spans: Spans,
    *,
    replay_id: UUID,
    keys: Sequence[str],
    types: Sequence[str],
    per_s: int,
    reason: str,
    state: Path | None,
) -> LiveReplay:
    """Begin a replay and see it end; it goes on when we don't."""

    async def begun(client: Client) -> LiveReplay:
        await live.begin(
            client,
            topic,
            spans,
            replay_id=replay_id,
            keys=keys,
            types=types,
            per_s=per_s,
            reason=reason,
        )
        return await _watched(client, topic.owner, replay_id)

    try:
        return place.ask(state, begun)
    except KeyboardInterrupt:
        goes_on = f"The replay goes on: './sagactl topic replay-stop {replay_id}' stops it."
        sys.stderr.write(goes_on + "\n")
        raise


def confirm(topic: Topic, spans: Spans, *, yes: bool) -> None:
    """A person on a terminal has agreed; elsewhere nobody can be asked."""
    if yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    readers = ", ".join(topic.readers)
    what = f"up to {bounds.total(spans)} records to {topic.name} again, read by {readers}"
    typer.confirm(f"Write {what}?", abort=True)


def finish(done: LiveReplay, *, json: bool) -> None:
    """Show how a replay ended, and end as it did."""
    show(done, json=json)
    raise typer.Exit(Exit.DONE if done.state == "done" else Exit.OTHERWISE)


def show(replay: LiveReplay, *, json: bool) -> None:
    """Print a replay."""
    if json:
        print_json(replay.model_dump(mode="json"))
        return
    print_facts(
        {
            "replay": replay.id,
            "topic": replay.topic,
            "state": replay.state,
            "because": replay.reason,
            "read": f"{replay.read} of {replay.total} records",
            "sent": replay.sent,
            "passed over": _some(replay.passed, "of another key or type"),
            "skipped": _some(replay.skipped, "that its owner did not write so"),
            "problem": replay.problem,
        }
    )


def _some(count: int, which: str) -> str | None:
    return f"{count} {which}" if count else None


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show words on stderr, each in the place of the last; where nobody watches, nothing."""
    err = Console(stderr=True, highlight=False)
    if not err.is_terminal:
        yield lambda _: None
        return
    with err.status("") as status:
        yield status.update


async def _watched(client: Client, service: str, replay_id: UUID) -> LiveReplay:
    with progress() as tell:
        return await live.ended(client, service, replay_id, tell=lambda each: tell(_words(each)))


def _words(replay: LiveReplay) -> str:
    waits = f"; {replay.problem}" if replay.problem else ""
    return f"{replay.read} of {replay.total} records read, {replay.sent} sent{waits}"


def _services() -> list[str]:
    return [service.name for service in place.config().services]
