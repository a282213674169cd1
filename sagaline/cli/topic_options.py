"""What the commands about topics have in common: their options, and how they reach Kafka."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from sagaline.chassis import messages as platform
from sagaline.chassis.catalog import Catalog
from sagaline.chassis.log_reader import KafkaAway, NoSuchTopic
from sagaline.cli import place
from sagaline.cli.completion import topic_names
from sagaline.local.topics import bounds, broker
from sagaline.local.topics.bounds import BadBound, Bound
from sagaline.local.topics.catalog import require, type_named

T = TypeVar("T")

Topic = Annotated[
    str,
    typer.Argument(
        help="The topic's name: './sagactl topic list' has all.", autocompletion=topic_names
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="BOUND",
        help="Begin here: an offset (120, or 3:120 in partition 3 alone), a time "
        "(2026-11-22T10:30:00Z), or how long ago (90s, 10m, 2h, 1d).",
    ),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="BOUND", help="End before this one; written alike."),
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="Records of this key (an order's id) alone; again for more."),
]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", help="This message alone, such as ReserveStock; again for more."),
]


def bound(text: str | None, option: str) -> Bound | None:
    """Give what `--from` or `--until` says, now. Raises BadParameter."""
    if text is None:
        return None
    try:
        return bounds.parse(text, now=datetime.now(UTC))
    except BadBound as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def full_names(given: list[str] | None, topic: str, catalog: Catalog) -> frozenset[str]:
    """Give the full names of the types that `--type` names. Raises UnknownType."""
    carried = catalog.topics[topic].messages if topic in catalog.topics else ()
    own = [each.avro_name for each in platform.MESSAGES]
    # Copies of anything stand on dead-letter topics and in sandboxes.
    known = carried or (*catalog.messages, *own)
    return frozenset(type_named(text, topic=topic, types=known) for text in given or ())


def kafka(state: Path | None) -> str:
    """Give the address of the running platform's Kafka. Raises NotRunning."""
    # Its client's own complaints would stand between our lines; what matters comes as an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return place.running(state).kafka.address


def reading(
    topic: str, bootstrap: str, catalog: Catalog, work: Callable[[], Coroutine[object, object, T]]
) -> T:
    """Do `work`, which reads `topic`. Raises UnknownTopic, with what was meant perhaps."""
    try:
        return asyncio.run(work())
    except NoSuchTopic:
        known = set(catalog.topics)
        with suppress(KafkaAway):
            known |= set(asyncio.run(_names(bootstrap)))
        require(topic, known - {topic})
        raise


async def _names(bootstrap: str) -> list[str]:
    async with broker.connected(bootstrap) as known:
        return list(await known.topics())
