"""An order's progress as Server-Sent Events: its saga's newest state, whenever there is another.

An event's id is the saga's sequence. Who comes back with one gets the newest state, if that is a
newer one: what was in between is not told. The last event is called `end`; a stream that ends
without it goes on elsewhere, or later.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge

from gateway_service import domain
from gateway_service.errors import TooManyStreams
from gateway_service.progress import Progress
from gateway_service.settings import GatewaySettings
from gateway_service.watching import Watching
from sagaline.chassis.running import Running

RETRY_MS: Final = 1_000
HEARTBEAT: Final = b": still here\n\n"
EXAMPLE: Final = 'retry: 1000\n\nid: 3\nevent: progress\ndata: {"order": {}, "saga": {}}\n\n'
NOTHING: Final = -1  # the sequence of who has seen nothing


class Streams:
    """The open streams of one process, at most `streams_max`."""

    def __init__(
        self,
        watching: Watching,
        *,
        streams_max: int,
        heartbeat_s: float,
        registry: CollectorRegistry,
    ) -> None:
        self._watching = watching
        self._streams_max = streams_max
        self._heartbeat_s = heartbeat_s
        self._open = 0
        self._figure = Gauge(
            "sagaline_order_streams", "Open streams of orders' progress.", registry=registry
        )

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open

    def check_room(self) -> None:
        """Raise TooManyStreams if there are as many as may be."""
        if self._open >= self._streams_max:
            raise TooManyStreams(streams=self._open)

    async def events(
        self, placed: domain.PlacedOrder, *, seen: int, left: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[bytes]:
        """The bytes of a stream that begins with `placed`, if its sequence is beyond `seen`.

        It ends after the saga's end, when `left` returns, and when the service stops.
        """
        gone = asyncio.create_task(_until(left))
        self._counted(+1)
        try:
            yield b"retry: %d\n\n" % RETRY_MS
            async for event in self._events(placed, seen, gone):
                yield event
        finally:
            gone.cancel()
            self._counted(-1)

    async def _events(
        self, placed: domain.PlacedOrder, seen: int, gone: "asyncio.Task[None]"
    ) -> AsyncIterator[bytes]:
        while True:
            if placed.sequence > seen:
                seen = placed.sequence
                yield _event("progress", placed)
            if placed.saga_has_ended:
                yield _event("end", placed)
                return
            if self._watching.closed:  # since the last event: nobody would answer any more
                return
            newer = await self._newer(placed.order_id, seen, gone)
            if gone.done() or self._watching.closed:
                return
            if newer is None:
                yield HEARTBEAT
            else:
                placed = newer

    async def _newer(
        self, order_id: UUID, seen: int, gone: "asyncio.Task[None]"
    ) -> domain.PlacedOrder | None:
        return await self._watching.until(
            order_id,
            lambda view: view is not None and view.sequence > seen,
            known=None,  # something may have come while the last event was sent
            wait_s=self._heartbeat_s,
            gone=_done(gone),
        )

    def _counted(self, more: int) -> None:
        self._open += more
        self._figure.set(self._open)


def last_seen(last_event_id: str | None) -> int:
    """The sequence that a `Last-Event-ID` names; what is none of ours is passed over."""
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        return int(last_event_id[:18])
    return NOTHING


def _event(name: str, placed: domain.PlacedOrder) -> bytes:
    data = Progress.of(placed).model_dump_json()
    return f"id: {placed.sequence}\nevent: {name}\ndata: {data}\n\n".encode()


async def _until(left: Callable[[], Awaitable[None]]) -> None:
    await left()


async def _done(task: "asyncio.Task[None]") -> None:
    await asyncio.wait((task,))


@asynccontextmanager
async def opened(running: Running) -> AsyncIterator[Streams]:
    """The service's streams; its watching, which is open by then, ends them at a stop."""
    settings = running.settings
    assert isinstance(settings, GatewaySettings), settings
    yield Streams(
        running.part(Watching),
        streams_max=settings.streams_max,
        heartbeat_s=settings.stream_heartbeat_ms / 1000,
        registry=running.metrics,
    )
