"""What operators ask of the services, at the ports that are theirs."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sagaline.local.client import Client, Json

Row = Mapping[str, Any]  # of a list, as JSON has it


async def listed(
    client: Client,
    service: str,
    path: str,
    *,
    name: str,
    limit: int,
    wanted: Mapping[str, object | None],
) -> list[Row]:
    """The first `limit` entries of a service's list, `name` in its answers, page by page."""
    found: list[Row] = []
    cursor: object = None
    while len(found) < limit:
        size = min(limit - len(found), 200)
        query = {**wanted, "limit": size, "cursor": cursor}
        given = urlencode({name: value for name, value in query.items() if value is not None})
        page: Mapping[str, Any] = await client.get(service, f"{path}?{given}", operator=True)
        found += page[name]
        cursor = page["next"]
        if cursor is None:
            break
    return found


async def listed_everywhere(
    client: Client,
    services: Sequence[str],
    path: str,
    *,
    name: str,
    limit: int,
    wanted: Mapping[str, object | None],
) -> list[Row]:
    """The same of several services; each entry says which in `service`. Raises Unreachable."""
    lists = await asyncio.gather(
        *(
            listed(client, service, path, name=name, limit=limit, wanted=wanted)
            for service in services
        )
    )
    return [
        {"service": service, **row}
        for service, rows in zip(services, lists, strict=True)
        for row in rows
    ]


async def dealt(client: Client, service: str, path: str, body: Json) -> list[Row]:
    """Have a service deal with all that `body` chooses, request by request: how each key fared."""
    fared: list[Row] = []
    cursor: object = None
    while True:
        asked = {name: value for name, value in body.items() if value is not None}
        if cursor is not None:
            asked["cursor"] = cursor
        answer: Mapping[str, Any] = await client.post(service, path, asked, operator=True)
        fared += [{"service": service, **key} for key in answer["keys"]]
        cursor = answer["next"]
        if cursor is None:
            return fared


def ids_of(released: Mapping[str, Any]) -> Sequence[int]:
    """Which rows of an outbox are sent next."""
    ids: Sequence[int] = released["ids"]
    return ids
