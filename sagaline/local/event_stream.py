"""A stream of events that is followed over interruptions: opened again where it broke off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from sagaline.local import answers
from sagaline.local.events import events

TIMEOUT_S = 10.0
SILENCE_S = 60.0  # longer than between two comments of a stream
RETRY_S = 1.0


async def followed(service: str, url: str) -> AsyncIterator[dict[str, object]]:
    """Give the data of each event of the `service`'s stream at `url`, up to the one called `end`.

    A stream that breaks off is opened again, and again while the service is away. Raises NotFound,
    and Refused where the service lets nobody follow.
    """
    last: str | None = None
    while True:
        try:
            async with _opened(service, url, last) as answer:
                if answer.status_code == httpx.codes.NO_CONTENT:
                    return
                async for event in events(answer.aiter_lines()):
                    if event.name == "end":
                        return
                    last = event.id
                    yield event.data
        except httpx.TransportError:
            pass
        await asyncio.sleep(RETRY_S)


@asynccontextmanager
async def _opened(service: str, url: str, last: str | None) -> AsyncIterator[httpx.Response]:
    """A stream, from after the event with this id. Raises NotFound and Refused."""
    headers = {} if last is None else {"Last-Event-ID": last}
    timeout = httpx.Timeout(TIMEOUT_S, read=SILENCE_S)
    # Our own transport takes an answer as a whole.
    async with (
        httpx.AsyncClient(trust_env=False, verify=False, timeout=timeout) as http,  # noqa: S501 - plain HTTP, to this machine
        http.stream("GET", url, headers=headers) as answer,
    ):
        if answer.is_error:
            await answer.aread()
            answers.require_found(service, answer)
        yield answer
