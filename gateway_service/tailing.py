"""The gateway's tail of `sagas.events.v1`: it wakes those whose orders another process shows."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

from gateway_service.watching import Watching
from sagaline.chassis.consumer import Consumer
from sagaline.chassis.positions import Partition
from sagaline.chassis.running import Running
from sagaline.chassis.tail import Tail

TOPIC: Final = "sagas.events.v1"
END_MS: Final = 3_000  # to close its connections


@asynccontextmanager
async def opened(running: Running) -> AsyncIterator[Tail]:
    """The tail wakes the service's watching, for the block."""
    watching = running.part(Watching)

    def projected_here() -> Collection[Partition]:
        # The consumer starts after the parts.
        consumers = (part for part in running.parts if isinstance(part, Consumer))
        return next((consumer.held for consumer in consumers), ())

    tail = Tail(
        TOPIC,
        bootstrap=running.settings.kafka_bootstrap,
        client_id=f"{running.settings.process_name}-tail",
        wanted=watching.begun,
        elsewhere=projected_here,
        heard=watching.heard_of,
        missed=watching.anything_may_have_happened,
        registry=running.metrics,
        log=running.log.bind(part="tail"),
    )
    running.background.start("tail", tail.run(running.stopping))
    try:
        yield tail
    finally:
        await running.background.end("tail", within_ms=END_MS)
