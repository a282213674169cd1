"""`sagactl topic`: what topics there are and what stands on them; replays are in `topic_replay`."""

import asyncio
from collections.abc import Sequence

import typer
from rich.text import Text

from sagaline.chassis.catalog import Catalog
from sagaline.cli import place, topic_live, topic_replay, topic_tail
from sagaline.cli.output import console, print_facts, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.cli.topic_options import Topic, kafka
from sagaline.cli.wide import print_wide_table
from sagaline.local.client import Json
from sagaline.local.topics import broker, overview
from sagaline.local.topics.broker import GroupOffset
from sagaline.local.topics.catalog import catalog, require
from sagaline.local.topics.overview import TopicLine, TypeLine

app = typer.Typer(
    help="See what stands on Kafka's topics, and have it again.", no_args_is_help=True
)
app.command()(topic_tail.tail)
app.command()(topic_replay.replay)
app.command()(topic_live.replays)
app.command("replay-stop")(topic_live.stop)
app.command("replay-resume")(topic_live.resume)

DAY_MS = 24 * 3600 * 1000


@app.command("list")
def list_topics(state: StateOption = None, json: JsonOption = False) -> None:
    """List topics: who writes and reads them, how much stands there, what is yet to be answered.

    Those that the catalog doesn't know, such as sandboxes, come last. Exit 0: listed.

    Examples:

      ./sagactl topic list

      ./sagactl topic list --json | jq '.topics[] | select(.lag != {})'
    """
    lines = _lines(catalog(place.config()), kafka(state))
    if json:
        print_json({"topics": [_summary(line) for line in lines]})
        return
    rows = [
        (
            line.name,
            line.topic.owner if line.topic else "-",
            ", ".join(line.topic.readers) if line.topic else "-",
            len(line.spans) if line.spans is not None else "missing",
            line.records if line.records is not None else "-",
            ", ".join(f"{lag} {name}" for name, lag in line.lags.items() if lag) or "0",
        )
        for line in lines
    ]
    print_wide_table(("topic", "written by", "read by", "partitions", "records", "lag"), rows)


@app.command()
def describe(topic: Topic, state: StateOption = None, json: JsonOption = False) -> None:
    """Describe a topic: its messages and how long they stay, its partitions and its readers.

    Exit 0: described; 1: there is none of that name.

    Example:

      ./sagactl topic describe inventory.commands.v1
    """
    known = catalog(place.config())
    line, settings = asyncio.run(_described(topic, known, kafka(state)))
    types = list(overview.types(line.topic, known)) if line.topic else []
    if json:
        print_json(_document(line, types, settings))
    else:
        _print(line, types, settings)


def _lines(known: Catalog, bootstrap: str) -> list[TopicLine]:
    async def asked() -> list[TopicLine]:
        async with broker.connected(bootstrap) as kafka:
            return await overview.lines(kafka, known, _groups())

    return asyncio.run(asked())


async def _described(
    topic: str, known: Catalog, bootstrap: str
) -> tuple[TopicLine, dict[str, str]]:
    async with broker.connected(bootstrap) as kafka:
        lines = {line.name: line for line in await overview.lines(kafka, known, _groups())}
        require(topic, lines.keys())
        line = lines[topic]
        return line, await kafka.settings(topic) if line.spans is not None else {}


def _groups() -> Sequence[str]:
    """A service's name is its group's."""
    return [service.name for service in place.config().services]


def _summary(line: TopicLine) -> Json:
    return {
        "name": line.name,
        "written_by": line.topic and line.topic.owner,
        "read_by": list(line.topic.readers) if line.topic else [],
        "partitions": None if line.spans is None else len(line.spans),
        "records": line.records,
        "lag": line.lags,
    }


def _document(line: TopicLine, types: Sequence[TypeLine], settings: Json) -> Json:
    return {
        **_summary(line),
        "key": line.topic and line.topic.key,
        "pii": line.topic and line.topic.pii,
        "retention_ms": int(str(settings["retention.ms"])) if settings else None,
        "cleanup_policy": settings.get("cleanup.policy"),
        "types": [
            {
                "name": each.name,
                "doc": each.doc,
                "fingerprint": each.fingerprint,
                "personal_fields": list(each.personal),
            }
            for each in types
        ],
        "offsets": [
            {"partition": number, "begin": span.first, "end": span.until}
            for number, span in sorted((line.spans or {}).items())
        ],
        "groups": {
            group: [
                {"partition": each.partition, "committed": each.committed, "lag": each.lag}
                for each in offsets
            ]
            for group, offsets in line.groups.items()
        },
    }


def _print(line: TopicLine, types: Sequence[TypeLine], settings: Json) -> None:
    out, topic = console(), line.topic
    print_facts(
        {
            "topic": line.name,
            "written by": topic.owner if topic else "nobody that the catalog knows",
            "read by": ", ".join(topic.readers) if topic else None,
            "key": topic and topic.key,
            "personal data": topic and topic.pii,
            "kept": _kept(settings) if settings else "Kafka has no such topic",
        }
    )
    for each in types:
        out.print()
        out.print(Text(f"{each.name}  {each.fingerprint}", style="bold"))
        personal = f" Personal: {', '.join(each.personal)}." if each.personal else ""
        out.print(Text(f"  {each.doc}{personal}"))
    if line.spans is None:
        return
    out.print()
    groups = list(line.groups)
    committed = {
        (group, each.partition): _progress(each)
        for group, offsets in line.groups.items()
        for each in offsets
    }
    rows = [
        (number, span.first, span.until, *(committed[group, number] for group in groups))
        for number, span in sorted(line.spans.items())
    ]
    print_wide_table(("partition", "begin", "end", *groups), rows)


def _progress(each: GroupOffset) -> str:
    return "-" if each.committed is None else f"{each.committed} (lag {each.lag})"


def _kept(settings: Json) -> str:
    retention_ms = int(str(settings["retention.ms"]))
    days = "for ever" if retention_ms < 0 else f"{retention_ms / DAY_MS:g} days"
    return f"{days} (cleanup.policy {settings['cleanup.policy']})"
