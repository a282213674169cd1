"""`sagactl topic replay`: a topic's records once more, in a sandbox or live."""

from dataclasses import asdict, dataclass
from typing import Annotated
from uuid import UUID, uuid4

import typer

from sagaline.chassis import log_reader
from sagaline.chassis.catalog import Catalog
from sagaline.chassis.log_records import Span
from sagaline.cli import place, topic_live
from sagaline.cli.output import print_facts, print_json
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
from sagaline.local.topics import bounds, broker, sandbox
from sagaline.local.topics.bounds import Bound
from sagaline.local.topics.broker import CLIENT
from sagaline.local.topics.catalog import catalog, require
from sagaline.local.topics.live import require_live
from sagaline.local.topics.sandbox import Copied


def replay(
    topic: Topic,
    first: From = None,
    until: Until = None,
    key: Keys = None,
    message: Types = None,
    to: Annotated[
        str | None,
        typer.Option(help="The sandbox.  [default: sandbox.TOPIC.ID, a new one]"),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Into the topic itself, by the service that owns it.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why; with --live it has to be said.")] = None,
    per_second: Annotated[
        int, typer.Option(min=1, max=10_000, help="Records a second, with --live.")
    ] = 300,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask, with --live.")] = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Write a range of a topic's records once more: into a sandbox topic, or live.

    A copy has its record's key, headers and bytes, and headers that say where that stood. In a
    sandbox, which is kept for a day, nobody reads it. Live, the topic's owner writes it through its
    outbox, with the ce_id and ce_time it had; who has seen it answers as before. A live replay goes
    on without this command, and after a crash. sagas.events.v1 is never replayed live.

    Exit 0: all of it is written; 1: it failed; 3: it was stopped; 130: Ctrl-C.

    Examples:

      ./sagactl topic replay inventory.commands.v1 --from 10m

    \b
      ./sagactl topic replay orders.replies.v1 --from 3:120 --until 3:130 \\
        --to sandbox.lost-replies

    \b
      ./sagactl topic replay payments.commands.v1 --from 1h --live \\
        --reason "replies lost with the old broker"
    """
    known, bootstrap = catalog(place.config()), kafka(state)
    wanted = Wanted(
        topic=topic,
        first=bound(first, "--from"),
        until=bound(until, "--until"),
        keys=frozenset(key or ()),
        types=full_names(message, topic, known),
    )
    if live:
        why = _said(reason, to)
        require(topic, known.topics)
        require_live(known.topics[topic])
        spans = reading(topic, bootstrap, known, lambda: wanted.spans(bootstrap))
        topic_live.confirm(known.topics[topic], spans, yes=yes)
        done = topic_live.begin(
            known.topics[topic],
            spans,
            replay_id=uuid4(),
            keys=sorted(wanted.keys),
            types=sorted(wanted.types),
            per_s=per_second,
            reason=why,
            state=state,
        )
        topic_live.finish(done, json=json)
    replay_id = uuid4()
    name = to or sandbox.name_for(topic, replay_id)
    copied = reading(
        topic, bootstrap, known, lambda: wanted.copied(known, name, bootstrap, replay_id)
    )
    _show(name, copied, json=json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be written once more."""

    topic: str
    first: Bound | None
    until: Bound | None
    keys: frozenset[str]
    types: frozenset[str]

    async def spans(self, bootstrap: str) -> dict[int, Span]:
        """Give the range, as offsets."""
        async with log_reader.opened(self.topic, bootstrap=bootstrap, client_id=CLIENT) as reader:
            return await bounds.spans(reader, self.first, self.until)

    async def copied(self, known: Catalog, name: str, bootstrap: str, replay_id: UUID) -> Copied:
        """Copy it into the sandbox `name`; give how much that was."""
        async with (
            broker.connected(bootstrap) as brokers,
            log_reader.opened(self.topic, bootstrap=bootstrap, client_id=CLIENT) as reader,
        ):
            spans = await bounds.spans(reader, self.first, self.until)
            partitions = len(await reader.extent())
            await sandbox.prepare(brokers, known, name, partitions=partitions)
            with topic_live.progress() as tell:
                return await sandbox.copy(
                    reader,
                    spans,
                    name,
                    bootstrap=bootstrap,
                    replay_id=replay_id,
                    keys=self.keys,
                    types=self.types,
                    tell=lambda made: tell(f"{made.copied} of {bounds.total(spans)} records"),
                )


def _said(reason: str | None, to: str | None) -> str:
    if not (reason and reason.strip()):
        raise typer.BadParameter("a live replay needs one", param_hint="--reason")
    if to is not None:
        raise typer.BadParameter("a live replay has no sandbox", param_hint="--to")
    return reason


def _show(name: str, copied: Copied, *, json: bool) -> None:
    if json:
        print_json({"sandbox": name, **asdict(copied)})
        return
    print_facts(
        {
            "sandbox": name,
            "copied": copied.copied,
            "passed over": f"{copied.passed} of another key or type" if copied.passed else None,
            "unread": f"{copied.unread} that the client can't read" if copied.unread else None,
            "see": f"./sagactl topic tail {name}",
        }
    )
