"""Server-Sent Events, as a program reads them: name, id and data of each, as they come."""

import json
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream; `id` is what the stream goes on after."""

    name: str
    id: str
    data: dict[str, object]


async def events(lines: AsyncIterable[str]) -> AsyncIterator[Event]:
    """The events in a stream's lines; comments and hints are passed over, and a cut-off event."""
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(":")
        if line and name:
            fields[name] = value.removeprefix(" ")
        elif not line:
            if "data" in fields:
                data = json.loads(fields["data"])
                yield Event(fields.get("event", "message"), fields.get("id", ""), data)
            fields = {}
