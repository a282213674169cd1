"""The end of a Kafka consumer's client: whole, in bounded time, and nobody else's."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError


async def close_consumer(kafka: "AIOKafkaConsumer[Any, Any]", *, within_ms: int) -> None:
    """Nothing of it runs on, started or not; without an error, whatever Kafka does."""
    # Between two tries at a broker that is away a fetch rests. Cancelled there, it cancels whoever
    # waits for it: stop(), which leaves its connections open then, and us, if we awaited that.
    if not await _done(kafka.stop(), within_ms):
        # There is no public way to what stop() has left.
        await _done(kafka._client.close(), within_ms)  # noqa: SLF001


async def _done(work: Coroutine[object, object, None], within_ms: int) -> bool:
    """Say whether it came to its end; an error that is not Kafka's is raised."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=within_ms / 1000)
    finally:
        task.cancel()
    if not task.done() or task.cancelled():
        return False
    error = task.exception()
    if error is not None and not isinstance(error, KafkaError | OSError):
        raise error
    return error is None
